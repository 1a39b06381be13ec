/** User and conditions: consent, pause, cancellation in each phase, preconditions, windows. */
import { describe, expect, test } from 'vitest';
import { EVENT_STATUS } from '../../src/contract/index.js';
import { sampleOf, takingTurns } from '../support/depth.js';
import { type UpdateScript } from '../../src/update-script/index.js';
import { type Installer } from '../../src/vehicle/index.js';
import { metaOf } from './support/platform-double.js';
import { slow } from './support/slow-installer.js';
import { softwareOf } from './support/software.js';
import { SUCCESS } from './support/statuses.js';
import { type TestVehicleOptions } from './support/test-vehicle.js';
import { until } from './support/until.js';
import { updatesOf } from './support/updates.js';
import { NOW } from './support/uptane-world.js';

/** Tests with siblings on the same subject take turns. */
const isTurn = takingTurns(2);

const SOFTWARE = softwareOf(300_000);
const { carota, scriptOf, vehicle } = await updatesOf(SOFTWARE);

describe('the user', () => {
  const consent = { text: 'Now?', timeout: 1 };

  test('is asked if the script requires it, and may decline', async () => {
    const asked: string[] = [];
    const answers = [true, false];
    const options = {
      consent: {
        ask: (question: { text: string }) => {
          asked.push(question.text);
          return Promise.resolve(answers.shift() ?? false);
        },
      },
    };
    const accepting = vehicle(options, scriptOf({ consent }));
    await accepting.update();
    expect(accepting.platform.statuses).toEqual(SUCCESS.toSpliced(2, 0, 'consent_accepted'));
    const refusing = vehicle(options, scriptOf({ consent }));
    await refusing.update();
    expect(refusing.platform.statuses).toEqual([
      'received',
      'pki_check_success',
      'consent_rejected',
    ]);
    expect(await refusing.runs()).toBe('1.0.0');
    expect(asked).toEqual(['Now?', 'Now?']);
    await accepting.stop();
    await refusing.stop();
  });

  test('is recorded with the text shown, its language and its version', async () => {
    const text = 'Jetzt aktualisieren? Größe: 3 MB';
    // Computed with openssl dgst -sha256 from the UTF-8 text.
    const sha256 = '1df9d0a6a16c1a66a4535392ed650462eb8516d6e30ffd242d1dfcdf0a208f11';
    const shown = { text, language: 'de', textVersion: '2026.1' };
    for (const answer of [true, false]) {
      const languages: (string | undefined)[] = [];
      const ask = (question: { language?: string | undefined }) => {
        languages.push(question.language);
        return Promise.resolve(answer);
      };
      const v = vehicle({ consent: { ask } }, scriptOf({ consent: shown }));
      await v.update();
      expect(languages).toEqual(['de']);
      const name = answer ? 'consent_accepted' : 'consent_rejected';
      const { meta = [] } =
        v.platform.events.find(({ body }) => body.status === EVENT_STATUS[name])?.body ?? {};
      expect(metaOf(meta, 'consent-text-sha256')).toBe(sha256);
      expect(metaOf(meta, 'consent-language')).toBe('de');
      expect(metaOf(meta, 'consent-text-version')).toBe('2026.1');
      expect(metaOf(meta, 'reason')).toBe(answer ? undefined : 'declined by the user');
      await v.stop();
    }
  });

  test.runIf(isTurn())('declines if there is no answer in time', async () => {
    const never = {
      ask: (_question: unknown, signal: AbortSignal) =>
        new Promise<boolean>((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    };
    const v = vehicle({ consent: never }, scriptOf({ consent }));
    await v.update();
    expect(v.platform.statuses.at(-1)).toBe('consent_rejected');
    expect(v.platform.meta()).toBe('no answer in 1 s');
    await v.stop();
  });

  test.runIf(isTurn())('pauses the download in the middle, and resumes it from there', async () => {
    const v = vehicle({
      bytesPerSecond: 600_000,
      pace: { progressPercent: 10 },
    });
    v.platform.trigger('hu only 001');
    await until(() =>
      v.platform.events.some(
        ({ body }) => metaOf(body.meta, 'download') !== '0%' && body.status === 3,
      ),
    );
    expect(v.runner.pause()).toBe(true);
    expect(v.runner.pause()).toBe(false);
    const requestsBefore = carota.requests.length;
    expect(v.runner.current?.phase).toBe('downloading');
    expect(v.runner.resume()).toBe(true);
    await v.agent.idle();
    expect(v.platform.statuses).toEqual(SUCCESS.toSpliced(2, 0, 'pause', 'resume'));
    expect(carota.requests).toHaveLength(requestsBefore + 1);
    expect(carota.requests.at(-1)?.range).toMatch(/^bytes=\d+-$/);
    await v.stop();
  });

  test.each(['installing', 'rebooting'])(
    'cannot cancel after %s: it is too late',
    async (phase) => {
      let answer: boolean | undefined;
      const v = vehicle({
        onPhase: (done, runner) => {
          if (done === phase) setImmediate(() => (answer = runner.cancel()));
        },
        installer: (real) => ({ ...slow(real, 50) }),
      });
      await v.update();
      expect(answer).toBe(false);
      expect(v.platform.statuses).toEqual(SUCCESS);
      await v.stop();
    },
  );
});

const hanging = {
  ask: (_question: unknown, signal: AbortSignal) =>
    new Promise<boolean>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    }),
};
const laterToday = () => {
  const at = (hours: number) =>
    new Date(NOW.getTime() + hours * 3_600_000).toISOString().slice(11, 16);
  return { from: at(2), to: at(3) };
};

describe('the user cancels', () => {
  const begun = ['received', 'pki_check_success'];
  const verified = [...begun, 'downloaded', 'md5_check_success'];
  const slowly = { installer: (real: Installer) => slow(real, 300) };
  const cases: [string, Partial<TestVehicleOptions>, () => UpdateScript, string[]][] = [
    ['fetching', slowly, () => scriptOf(), []],
    ['consent', { consent: hanging }, () => scriptOf({ consent: { text: 'Now?' } }), begun],
    [
      'conditions',
      { conditions: { timeZone: 'UTC', read: () => Promise.resolve({}) } },
      () => scriptOf({ preconditions: { battery: 60 } }),
      begun,
    ],
    ['downloading', { bytesPerSecond: 100_000 }, () => scriptOf(), begun],
    // Large enough that reading it takes a moment.
    ['verifying', {}, () => scriptOf({}, softwareOf(30_000_000)), [...begun, 'downloaded']],
    ['waiting', {}, () => scriptOf({ window: laterToday() }), verified],
    ['installing', slowly, () => scriptOf(), verified],
  ];

  test.each(sampleOf(cases, 3))(
    'while %s: the update ends there, and the software stays',
    async (phase, options, script, told) => {
      const v = vehicle(options, script());
      v.platform.trigger('hu only 001');
      await until(() => v.runner.current?.phase === phase);
      expect(v.runner.cancel()).toBe(true);
      await v.agent.idle();
      expect(v.platform.statuses).toEqual([...told, 'cancel']);
      expect(v.platform.meta()).toBe('cancelled by the user');
      expect(await v.runs()).toBe('1.0.0');
      await v.stop();
    },
  );
});

describe('preconditions', () => {
  const status = { battery: 40, gear: 'park', ignition: 'off' };
  const conditions = { timeZone: 'UTC', read: () => Promise.resolve({ ...status }) };

  test('delay the update until they are met', async () => {
    status.battery = 40;
    const v = vehicle({ conditions }, scriptOf({ preconditions: { battery: 60, gear: 'park' } }));
    v.platform.trigger('hu only 001');
    await until(() => v.runner.current?.phase === 'conditions');
    expect(carota.requests).toEqual([]);
    status.battery = 61;
    await v.agent.idle();
    expect(v.platform.statuses).toEqual(SUCCESS);
    // The conditions found before the download and before the installation, only those that the script requires.
    for (const status of [EVENT_STATUS.downloaded, EVENT_STATUS.reboot]) {
      const found = v.platform.events.find(({ body }) => body.status === status)?.body.meta ?? [];
      expect(found.map(({ key }) => key)).toEqual([
        'condition:battery',
        'condition:gear',
        'conditions-at',
      ]);
      expect(metaOf(found, 'condition:battery')).toBe('61');
      expect(metaOf(found, 'condition:gear')).toBe('park');
      expect(Date.parse(metaOf(found, 'conditions-at') ?? '')).toBeGreaterThan(0);
    }
    await v.stop();
  });

  test.runIf(isTurn())('end the update with the reason if they are not met in time', async () => {
    status.battery = 40;
    const v = vehicle({ conditions }, scriptOf({ preconditions: { battery: 60, timeout: 1 } }));
    await v.update();
    expect(v.platform.statuses.at(-1)).toBe('failure');
    expect(v.platform.meta()).toBe('the battery is at 40 %, 60 % are needed, for 1 s');
    expect(v.platform.meta('condition:battery')).toBe('40');
    expect(await v.runs()).toBe('1.0.0');
    await v.stop();
  });

  test.runIf(isTurn())('the vehicle waits for the daily window, in its own time zone', async () => {
    carota.world.now = new Date(`${NOW.toISOString().slice(0, 10)}T12:00:00Z`);
    let passed = 0;
    const v = vehicle(
      { monotonic: () => passed, conditions: { ...conditions, timeZone: 'Asia/Tokyo' } },
      scriptOf({ window: { from: '22:00', to: '05:00' } }),
    );
    v.platform.trigger('hu only 001');
    await until(() => v.runner.current?.phase === 'waiting');
    expect(await v.installer.version('HU')).toBe('1.0.0');
    passed = 60 * 60_000;
    await v.agent.idle();
    carota.world.now = NOW;
    expect(v.platform.statuses).toEqual(SUCCESS);
    await v.stop();
  });
});
