/** The result of an exposed vehicle, from its reports and its silence. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  afterDeadline,
  afterReport,
  type Exposure,
  exposedAt,
  exposureCapOf,
  showsExposure,
} from '../../../src/carota/guard/index.js';
import { EVENT_STATUS_NAMES } from '../../../src/contract/index.js';
import { cases } from '../../support/depth.js';

const DEADLINES = { afterReboot: 60, deadline: 1_000, soak: 500 };
const START = 1_000_000;

/** Reports states, each at this many seconds after the exposure. */
type Report = readonly [state: string, seconds: number];

function after(reports: readonly Report[], deadlines = DEADLINES): Exposure {
  let exposure = exposedAt(deadlines, START);
  let before = 'consent_accepted';
  for (const [state, seconds] of reports) {
    exposure = afterReport(exposure, { before, state }, deadlines, START + seconds * 1000);
    before = state;
  }
  return exposure;
}

const seconds = (time: number | undefined) => time && (time - START) / 1000;

describe('an exposed vehicle', () => {
  test.each<[what: string, reports: readonly Report[], result: string, decidesAt?: number]>([
    ['must come to a result in time', [], 'undecided', 1_000],
    ['that downloads still must', [['downloading', 10]], 'undecided', 1_000],
    ['that reboots must report soon', [['reboot', 10]], 'undecided', 70],
    ['that reboots late has no more time than all', [['reboot', 990]], 'undecided', 1_000],
    [
      'that reports nothing final after the reboot has no more time than before',
      [
        ['reboot', 1],
        ['md5_check_success', 2],
        ['pause', 40],
      ],
      'undecided',
      61,
    ],
    [
      'that reboots once more has the time of the last reboot',
      [
        ['reboot', 1],
        ['downloading', 30],
        ['reboot', 50],
      ],
      'undecided',
      110,
    ],
    [
      'that goes on after success has all its time',
      [
        ['success', 1],
        ['downloading', 2],
      ],
      'undecided',
      1_000,
    ],
    ['that succeeded soaks first', [['success', 10]], 'undecided', 510],
    [
      'that says so twice soaks once',
      [
        ['success', 10],
        ['success', 90],
      ],
      'undecided',
      510,
    ],
    [
      'that fails while it soaks has failed',
      [
        ['success', 10],
        ['failure', 300],
      ],
      'failed',
    ],
    [
      'that fails after its soak had succeeded',
      [
        ['success', 10],
        ['failure', 511],
      ],
      'succeeded',
    ],
    [
      'that failed and rolled back has failed',
      [
        ['failure', 1],
        ['rollback_success', 2],
      ],
      'failed',
    ],
    [
      'whose rollback fails has failed',
      [
        ['failure', 1],
        ['rollback_fail', 2],
      ],
      'failed',
    ],
    [
      'that goes on after a failed download has failed',
      [
        ['download_fail', 1],
        ['downloading', 2],
      ],
      'failed',
    ],
    [
      'that failed and succeeded has failed until the end of its soak',
      [
        ['download_fail', 1],
        ['downloading', 2],
        ['success', 10],
        ['success', 90],
      ],
      'failed',
      510,
    ],
    [
      'that failed, succeeded and soaked has succeeded',
      [
        ['download_fail', 1],
        ['success', 10],
        ['failure', 511],
      ],
      'succeeded',
    ],
    [
      'whose user cancels after a failure has failed',
      [
        ['failure', 1],
        ['cancel', 2],
      ],
      'failed',
    ],
    [
      'whose user cancels after its deadline was silent',
      [
        ['reboot', 1],
        ['cancel', 62],
      ],
      'silent',
    ],
    [
      'that goes on after it was withdrawn still must report',
      [
        ['cancel', 1],
        ['downloading', 2],
        ['reboot', 10],
      ],
      'withdrawn',
      70,
    ],
    [
      'that was withdrawn, went on and died was silent',
      [
        ['cancel', 1],
        ['reboot', 10],
        ['downloaded', 71],
      ],
      'silent',
    ],
    [
      'that fails after it was withdrawn has failed',
      [
        ['cancel', 1],
        ['downloading', 2],
        ['failure', 3],
      ],
      'failed',
    ],
    [
      'whose user cancels is withdrawn',
      [
        ['downloading', 1],
        ['cancel', 2],
      ],
      'withdrawn',
    ],
    [
      'that reports after its deadline was silent',
      [
        ['reboot', 1],
        ['downloaded', 62],
      ],
      'silent',
    ],
    [
      'that fails after its deadline has failed',
      [
        ['reboot', 1],
        ['failure', 62],
      ],
      'failed',
    ],
    [
      'that was silent and succeeded is silent until the end of its soak',
      [
        ['reboot', 1],
        ['success', 100],
      ],
      'silent',
      600,
    ],
  ])('%s', (_what, reports, result, decidesAt) => {
    const exposure = after(reports);
    expect({ result: exposure.result, decidesAt: seconds(exposure.decidesAt) }).toEqual({
      result,
      decidesAt,
    });
  });

  test('once decided, is never undecided again, as its slot under the cap may be taken', () => {
    const report = fc.record({
      state: fc.constantFrom(...EVENT_STATUS_NAMES),
      pause: fc.integer({ min: 0, max: 600 }),
      retry: fc.option(fc.integer({ min: 0, max: 2_000 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(report, { maxLength: 12 }), (reports) => {
        let [exposure, before, now] = [exposedAt(DEADLINES, START), 'consent_accepted', START];
        let isDecided = false;
        for (const { state, pause, retry } of reports) {
          now += pause * 1000;
          // As at the server, a deadline takes effect before the next report.
          if (now >= (exposure.decidesAt ?? Infinity)) exposure = afterDeadline(exposure, before);
          isDecided ||= exposure.result !== 'undecided';
          const retryAt = retry === undefined ? undefined : now + retry * 1000;
          exposure = afterReport(exposure, { before, state, retryAt }, DEADLINES, now);
          before = state;
          if (isDecided) expect(exposure.result).not.toBe('undecided');
        }
      }),
      cases({ quick: 800, full: 50_000 }),
    );
  });

  test('succeeds at once without a soak', () => {
    expect(after([['success', 10]], { ...DEADLINES, soak: 0 }).result).toBe('succeeded');
  });

  test('is silent at its deadline, or has succeeded at the end of its soak', () => {
    const rebooted = after([['reboot', 1]]);
    expect(afterDeadline(rebooted, 'reboot')).toEqual({
      result: 'silent',
      at: START,
      decidesAt: undefined,
      silentAt: START + 61_000,
    });
    expect(afterDeadline(after([['success', 1]]), 'success').result).toBe('succeeded');
  });

  test('is not silent if its report reached the adapter in time, however late this server receives it', () => {
    const silent = afterDeadline(after([['reboot', 1]]), 'reboot');
    const report = (at: number) =>
      afterReport(silent, { before: 'reboot', state: 'downloaded' }, DEADLINES, START + at * 1000);
    expect(report(60)).toMatchObject({ result: 'undecided' });
    expect(report(61)).toMatchObject({ result: 'silent' });
  });
});

test.each([
  ['downloading', false, true],
  ['reboot', false, true],
  ['success', false, true],
  ['received', false, false],
  ['consent_accepted', true, false],
  ['pki_check_fail', false, false],
  ['failure', false, false],
  ['pki_check_fail', true, true],
  ['failure', true, true],
  ['consent_rejected', false, false],
  ['cancel', true, false],
  ['unknown(77)', true, false],
])('%s of a vehicle that does not ask, consent %s: exposed %s', (state, hasConsented, expected) => {
  expect(showsExposure(state, hasConsented)).toBe(expected);
});

test('the cap grows by the vehicles of the tests that decided to continue', () => {
  expect(exposureCapOf({}, 0)).toBe(100);
  expect(exposureCapOf({ exposureCap: 10 }, 73)).toBe(83);
});
