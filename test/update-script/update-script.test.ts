/** Update scripts: validation, the order of versions and of ECUs, daily windows. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compareVersions,
  type EcuUpdate,
  incompatibility,
  installOrder,
  matchesVersion,
  nextChange,
  nextOpening,
  type UpdateScript,
  validateScript,
} from '../../src/update-script/index.js';
import { cases } from '../support/depth.js';

const artifact = { sha256: 'a'.repeat(64), md5: 'b'.repeat(32), size: 10 };
const ecu = (name: string, ...after: string[]): EcuUpdate => ({
  ecu: name,
  version: '1.1.0',
  artifact,
  ...(after.length > 0 ? { after } : {}),
});
const script = (...ecus: EcuUpdate[]) => ({
  version: 'v1',
  'script-ref-id': 'hu only 001',
  model: 'vehicle model a',
  ecus,
});

const software = { ecu: 'HU', version: '1.1.0', sha256: artifact.sha256 };
const r79 = {
  regulation: 'UN R79',
  rxswinBefore: 'R79 ABC 001',
  rxswinAfter: 'R79 ABC 002',
  software: [software, { ecu: 'EPS', version: '7', sha256: 'c'.repeat(64) }],
};
const recorded = (...regulations: object[]) => ({
  ...script(ecu('HU')),
  record: { purpose: 'Shorter braking distance.', systems: ['brakes'], regulations },
});

/** HU and TCU get 1.1.0; HU's image depends on something or conflicts with it. */
const related = (how: 'requires' | 'conflicts', name: string, ...versions: string[]) =>
  script({ ...ecu('HU'), [how]: [{ ecu: name, versions }] }, ecu('TCU'));

describe('the validator', () => {
  test('accepts a record of the affected type approvals, even an empty one', () => {
    expect(validateScript(recorded(r79))).toMatchObject({ record: { systems: ['brakes'] } });
    expect(validateScript(recorded())).toMatchObject({ record: { regulations: [] } });
  });

  test('accepts a valid script', () => {
    expect(validateScript(script(ecu('HU'), ecu('TCU', 'HU')))).toMatchObject({ version: 'v1' });
  });

  test.each([
    ['a path out of the folder', script(ecu('../etc')), '/ecus/0/ecu'],
    ['an ECU named twice', script(ecu('HU'), ecu('HU')), '/ecus/1/ecu'],
    ['an unknown ECU before it', script(ecu('HU', 'XYZ')), '/ecus/0/after/0'],
    ['itself before it', script(ecu('HU', 'HU')), '/ecus/0/after/0'],
    ['a circle', script(ecu('A', 'B'), ecu('B', 'C'), ecu('C', 'A')), '/ecus'],
    [
      'a window of no length',
      { ...script(ecu('HU')), window: { from: '01:00', to: '01:00' } },
      '/window/to',
    ],
    [
      'a time that is none',
      { ...script(ecu('HU')), window: { from: '25:00', to: '01:00' } },
      '/window/from',
    ],
    ['a field too many', { ...script(ecu('HU')), wiht: 1 }, '/wiht'],
    ['no ECU', script(), '/ecus'],
    ['a regulation named twice', recorded(r79, r79), '/record/regulations/1/regulation'],
    [
      'software named twice',
      recorded({ ...r79, software: [software, software] }),
      '/record/regulations/0/software/1/ecu',
    ],
    [
      'a version that the script does not install',
      recorded({ ...r79, software: [{ ...software, version: '1.2.0' }] }),
      '/record/regulations/0/software/0/version',
    ],
    [
      'a hash that the script does not install',
      recorded({ ...r79, software: [{ ...software, sha256: 'd'.repeat(64) }] }),
      '/record/regulations/0/software/0/sha256',
    ],
    [
      'an RXSWIN with a control character',
      recorded({ ...r79, rxswinAfter: 'R79\n' }),
      '/record/regulations/0/rxswinAfter',
    ],
    [
      'a language that is none',
      { ...script(ecu('HU')), consent: { text: 'Now?', language: 'de_DE' } },
      '/consent/language',
    ],
    ['a consent without a text', { ...script(ecu('HU')), consent: {} }, '/consent/text'],
    ['itself as required', related('requires', 'HU', '1.1.0'), '/ecus/0/requires/0/ecu'],
    ['itself as a conflict', related('conflicts', 'HU', '2.*'), '/ecus/0/conflicts/0/ecu'],
    [
      'another version than it installs',
      related('requires', 'TCU', '2.*'),
      '/ecus/0/requires/0/versions',
    ],
    [
      'a conflict with what it installs',
      related('conflicts', 'TCU', '1.*'),
      '/ecus/0/conflicts/0/versions',
    ],
    ['a pattern that is none', related('requires', 'TCU', '*'), '/ecus/0/requires/0/versions/0'],
  ])('names the location of %s', (_what, value, path) => {
    const faults = validateScript(value) as { path: string; message: string }[];
    expect(faults.map((fault) => fault.path)).toContain(path);
    expect(faults.every(({ message }) => message.length > 0)).toBe(true);
  });
});

describe('compatibility with the software of other ECUs', () => {
  const verdict = (
    how: 'requires' | 'conflicts',
    has: string | undefined,
    versions: string[],
    also: EcuUpdate[] = [],
  ) => {
    const update = { ...ecu('HU'), [how]: [{ ecu: 'GW', versions }] };
    const checked = validateScript(script(update, ...also)) as UpdateScript;
    expect(checked).toMatchObject({ version: 'v1' });
    const fitted = new Map([['GW', { version: has }]]);
    return incompatibility(checked, (name) => fitted.get(name));
  };

  test.each<['requires' | 'conflicts', string | undefined, string[], string | undefined]>([
    ['requires', '2.3', ['2.*'], undefined],
    ['requires', '2.3', ['1.0', '2.3'], undefined],
    ['requires', '1.9', ['2.*'], 'HU 1.1.0 requires GW 2.*: it would have 1.9'],
    ['requires', undefined, ['2.*'], 'HU 1.1.0 requires GW 2.*: its version is unknown'],
    ['conflicts', '2.3', ['1.*'], undefined],
    ['conflicts', '1.9', ['1.*', '0.9'], 'HU 1.1.0 conflicts with GW 1.*, 0.9: it would have 1.9'],
    ['conflicts', undefined, ['1.*'], 'HU 1.1.0 conflicts with GW 1.*: its version is unknown'],
  ])('%s, if the vehicle has %s, %j', (how, has, versions, expected) => {
    expect(verdict(how, has, versions)).toBe(expected);
  });

  test('an ECU that the vehicle does not have does not conflict, but cannot be required', () => {
    const nothing = () => undefined;
    const judged = (how: 'requires' | 'conflicts') =>
      incompatibility(
        validateScript(
          script({ ...ecu('HU'), [how]: [{ ecu: 'GW', versions: ['1.*'] }] }),
        ) as UpdateScript,
        nothing,
      );
    expect(judged('requires')).toBe('HU 1.1.0 requires GW 1.*: the vehicle has no such ECU');
    expect(judged('conflicts')).toBeUndefined();
  });

  test('the versions that the script installs count, not those that it replaces', () => {
    const gateway = { ...ecu('GW'), version: '2.0' };
    expect(verdict('requires', '1.9', ['2.*'], [gateway])).toBeUndefined();
    expect(verdict('conflicts', '1.9', ['1.*'], [gateway])).toBeUndefined();
  });
});

describe('versions', () => {
  test('are in the order that people expect', () => {
    const order = [
      '0.9',
      '1.4-alpha',
      '1.4-rc1',
      '1.4-rc2',
      '1.4-rc10',
      '1.4',
      '1.4.1',
      '1.4.9',
      '1.4.10',
      '1.10',
      '2026.11.3',
    ];
    for (const [place, version] of order.entries()) {
      for (const later of order.slice(place + 1)) {
        expect([version, later, compareVersions(version, later) < 0]).toEqual([
          version,
          later,
          true,
        ]);
        expect(compareVersions(later, version)).toBeGreaterThan(0);
      }
    }
  });

  const version = fc.stringMatching(/^[a-c0-9]{1,2}([.\-_+][a-c0-9]{1,2}){0,3}$/);
  test('are ordered consistently: no three form a cycle', () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        const [x, y, z] = [a, b, c].sort(compareVersions) as [string, string, string];
        return (
          compareVersions(x, y) <= 0 && compareVersions(y, z) <= 0 && compareVersions(x, z) <= 0
        );
      }),
      cases({ quick: 300, full: 2_000 }),
    );
  });

  test('match themselves, and a prefix with a star', () => {
    expect(matchesVersion('1.3.*', '1.3.7')).toBe(true);
    expect(matchesVersion('1.3.*', '1.30.7')).toBe(false);
    expect(matchesVersion('1.3', '1.3')).toBe(true);
    expect(matchesVersion('1.3', '1.3.0')).toBe(false);
  });
});

test('ECUs are installed after those they wait for, otherwise in the script’s order', () => {
  const order = installOrder([ecu('A', 'C'), ecu('B'), ecu('C', 'B'), ecu('D')]);
  expect(order?.map(({ ecu: name }) => name)).toEqual(['B', 'C', 'A', 'D']);
});

describe('a daily window', () => {
  const at = (text: string) => Date.parse(text);
  const night = { from: '22:00', to: '05:00' };

  test.each([
    ['before it, opens today', '2026-11-24T12:00:00+01:00', '2026-11-24T22:00:00+01:00'],
    ['in it before midnight, is open', '2026-11-24T23:00:00+01:00', '2026-11-24T23:00:00+01:00'],
    ['in it after midnight, is open', '2026-11-24T04:59:59+01:00', '2026-11-24T04:59:59+01:00'],
    ['at its end, is closed', '2026-11-24T05:00:00+01:00', '2026-11-24T22:00:00+01:00'],
    ['after the clocks were put back', '2026-10-25T12:00:00+01:00', '2026-10-25T22:00:00+01:00'],
  ])('%s', (_when, now, opens) => {
    expect(nextOpening(night, 'Europe/Berlin', at(now))).toBe(at(opens));
  });

  test('changes when it opens, and when it closes', () => {
    const change = (now: string) => nextChange(night, 'Europe/Berlin', at(now));
    expect(change('2026-11-24T12:00:00+01:00')).toBe(at('2026-11-24T22:00:00+01:00'));
    expect(change('2026-11-24T22:00:00+01:00')).toBe(at('2026-11-25T05:00:00+01:00'));
    expect(change('2026-11-25T04:59:59+01:00')).toBe(at('2026-11-25T05:00:00+01:00'));
    expect(change('2026-11-25T05:00:00+01:00')).toBe(at('2026-11-25T22:00:00+01:00'));
  });

  test('opens after the clock jumps forward over its start', () => {
    const opens = nextOpening(
      { from: '02:30', to: '04:00' },
      'Europe/Berlin',
      at('2026-03-29T00:00:00Z'),
    );
    expect(new Date(opens).toISOString()).toBe('2026-03-29T01:30:00.000Z');
  });
});

test.each([
  ['Mars/Olympus', 0],
  ['Europe/Berlin', NaN],
  ['Europe/Berlin', Infinity],
])('a window in the zone %s at %s is an error', (zone, now) => {
  const window = { from: '22:00', to: '05:00' };
  expect(() => nextOpening(window, zone, now)).toThrow(RangeError);
  expect(() => nextChange(window, zone, now)).toThrow(RangeError);
});
