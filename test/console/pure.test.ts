/** The console's logic, without a browser: groups, numbers, curves, and what its forms send. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { afterDeadline } from '../../src/carota/guard/index.js';
import { validatePlan } from '../../src/carota/schedules/index.js';
import { dispatchOf } from '../../src/console/operations/dispatch-form.js';
import { type Operation, OperationChange } from '../../src/contract/adapter-api/index.js';
import { guardCurves } from '../../src/console/charts/guard-curves.js';
import { fromStart, perMinute, stacked } from '../../src/console/charts/samples.js';
import { bodyOf, indented, textOf } from '../../src/console/format/messages.js';
import { numberFault, numberOf } from '../../src/console/format/number-text.js';
import { bytes, duration, percent, plural, vehicles } from '../../src/console/format/numbers.js';
import {
  sendingTime,
  sendingTimeAfterRetrigger,
  sendingTimeAt,
  standingOf,
} from '../../src/console/operations/numbers.js';
import { emptyPlan, planOf, stepOf } from '../../src/console/planning/plan-form.js';
import { resultByTime } from '../../src/console/planning/result-by-time.js';
import { EMPTY_ECU, EMPTY_SCRIPT, scriptOf } from '../../src/console/planning/script-form.js';
import {
  ALL_STATES,
  byGroup,
  groupOf,
  GROUPS,
  inOrder,
  notified,
} from '../../src/console/states/groups.js';
import { checkOf, DELIVERY_STATES, EVENT_STATUS_NAMES } from '../../src/contract/index.js';
import { validateScript } from '../../src/update-script/index.js';
import { seed } from '../support/depth.js';

describe('states', () => {
  const named = GROUPS.flatMap(({ states }) => states);

  test('the console and the guard give a vehicle the same result after its deadline', () => {
    const undecided = { result: 'undecided', at: 0, decidesAt: 1, silentAt: undefined } as const;
    for (const state of [...EVENT_STATUS_NAMES, 'waiting', 'triggered', 'unknown(77)']) {
      expect(resultByTime(state), state).toBe(afterDeadline(undecided, state).result);
    }
  });

  test('every state of the contract is in one group', () => {
    for (const state of [...DELIVERY_STATES, ...EVENT_STATUS_NAMES, 'waiting', 'triggered']) {
      expect(
        named.filter((one) => one === state),
        state,
      ).toHaveLength(1);
    }
    expect(new Set(ALL_STATES).size).toBe(ALL_STATES.length);
    // An unknown state is an activity of the vehicle.
    expect(groupOf('unknown(77)')).toBe('install');
  });

  test('groups lose no vehicle', () => {
    const counts = fc.dictionary(fc.constantFrom(...named, 'unknown(5)'), fc.nat());
    fc.assert(
      fc.property(counts, (states) => {
        const sum = (all: Iterable<number>) => [...all].reduce((a, b) => a + b, 0);
        const all = sum(Object.values(states));
        expect(sum(byGroup(states))).toBe(all);
        expect(sum(inOrder(states).map(([, n]) => n))).toBe(all);
        expect(notified(states)).toBeLessThanOrEqual(all);
      }),
      { seed },
    );
  });
});

describe('numbers', () => {
  test('100 % means all, and 0 % means none', () => {
    expect(percent(999_999, 1_000_000)).toBe('> 99.9 %');
    expect(percent(1, 1_000_000)).toBe('< 0.1 %');
    expect(percent(1, 3)).toBe('33.3 %');
    expect(percent(0, 5)).toBe('0 %');
    expect(percent(5, 5)).toBe('100 %');
    expect(percent(0, 0)).toBe('–');
  });

  test('durations, bytes and counts are formatted', () => {
    expect([0.0123, 1.26, 61, 3_600, 90_061].map(duration)).toEqual([
      '12 ms',
      '1.3 s',
      '1 min 1 s',
      '1 h',
      '1 d 1 h',
    ]);
    expect([0, 999, 1_500, 3_000_000_000].map(bytes)).toEqual(['0 B', '999 B', '1.5 kB', '3 GB']);
    expect([vehicles(1), vehicles(1_234), plural(0, 'line')]).toEqual([
      '1 vehicle',
      '1,234 vehicles',
      '0 lines',
    ]);
  });

  test('the sending time depends on the queue and on how the rate grows', () => {
    const operation = {
      states: { pending: 500, sent: 50, success: 200, failure: 50 },
      succeeded: 200,
      rate: { perSecond: 1, factor: 2, after: 100, of: 'succeeded' },
    } as Partial<Operation> as Operation;
    // 1/s × 2²; whether it grows further depends on the vehicles.
    expect(sendingTime(operation)).toBe(
      '500 vehicles queued; the rate grows, and their triggers are sent within about 2 min 5 s.',
    );
    const bySending = { perSecond: 1, factor: 2, after: 100 };
    // 100 at 8/s, 100 at 16/s, …: 12.5 s × (1 + ½ + ¼ + ⅛ + 1/16).
    expect(sendingTimeAt(bySending, operation)).toContain('within about 24.2 s');
    expect(sendingTimeAt({ perSecond: 4 }, operation)).toBe(
      '500 vehicles queued; at this rate their triggers are sent within about 2 min 5 s.',
    );
    expect(sendingTimeAt(null, operation)).toContain('as fast as the adapters can send');
    expect(sendingTime({ ...operation, states: {} })).toBe('No triggers are queued.');
  });

  test('retriggered vehicles wait behind the queued ones, and no longer speed the rate up', () => {
    const operation = {
      states: { pending: 300, failure: 100, success: 200 },
      succeeded: 200,
      rate: { perSecond: 1, factor: 2, after: 100 },
    } as Partial<Operation> as Operation;
    // 300 notified now; 200 once the failed ones are queued again: 400 of them, 100 at 4/s, 100 at 8/s …
    expect(sendingTimeAfterRetrigger('failure', operation)).toMatch(
      /^400 vehicles queued; the rate grows, .* within about 46\.9 s\.$/,
    );
    // Vehicles that had succeeded no longer count, and the rate is back at its start.
    const byTrust = {
      ...operation,
      rate: { perSecond: 1, factor: 2, after: 100, of: 'succeeded' },
    };
    expect(sendingTimeAfterRetrigger('success', byTrust as Operation)).toMatch(
      /^500 vehicles .* within about 8 min 20 s\.$/,
    );
    // Queued vehicles are queued once.
    expect(sendingTimeAfterRetrigger('pending', operation)).toBe(sendingTime(operation));
    // Never notified, so the rate stays.
    const lost = { ...operation, states: { ...operation.states, device_not_found: 100 } };
    expect(sendingTimeAfterRetrigger('device_not_found', lost)).toContain('23.4 s');
  });

  test('each vehicle is counted once', () => {
    const operation = {
      status: 'active',
      ack_required: '1',
      states: { pending: 4, sent: 3, downloading: 2, success: 5 },
      open: 9,
      finished: 5,
    } as Partial<Operation> as Operation;
    expect(standingOf(operation)).toEqual({
      waiting: 4,
      unacknowledged: 3,
      inProgress: 2,
      finished: 5,
    });
    const unasked = { ...operation, ack_required: '0' as const, open: 6 };
    expect(standingOf(unasked).inProgress).toBe(2);
  });
});

describe('curves', () => {
  const samples = [
    { at: '2026-01-01T00:00:02.000Z', states: { pending: 6, downloading: 4 } },
    { at: '2026-01-01T00:01:02.000Z', states: { downloading: 7, success: 2, failure: 1 } },
  ];

  test('areas are stacked: the highest sum is all vehicles', () => {
    const [times, ...sums] = stacked(samples);
    expect(times).toEqual([1_767_225_602, 1_767_225_662]);
    expect(sums.at(-1)).toEqual([10, 10]);
    for (const [place, sum] of sums.entries()) {
      const below = sums[place - 1] ?? [0, 0];
      expect(sum.every((value, i) => value >= (below[i] ?? 0))).toBe(true);
    }
  });

  test('throughput is computed between two samples, per minute', () => {
    expect(perMinute(samples)).toEqual([
      [1_767_225_602, 1_767_225_662],
      [null, 3],
      [null, 6],
    ]);
  });

  test('curves start at zero, unless the operation was not sampled from its start', () => {
    expect(fromStart(samples, '2026-01-01T00:00:00.000Z')).toHaveLength(3);
    expect(fromStart(samples, '2025-01-01T00:00:00.000Z')).toHaveLength(2);
  });

  test('the guard’s curves start at zero, with its bounds', () => {
    const point = {
      place: 7,
      vin: '',
      result: 'undecided',
      optimistic: -1,
      pessimistic: 2,
    } as const;
    const path = [point, { ...point, place: 8, optimistic: -2, pessimistic: 4 }];
    expect(guardCurves({ number: 2, from: 7, stopAt: 3, goAt: -3, oldest: null, path })).toEqual({
      vehicles: [0, 1, 2],
      optimistic: [0, -1, -2],
      pessimistic: [0, 2, 4],
      stop: [3, 3, 3],
      go: [-3, -3, -3],
    });
  });
});

describe('messages', () => {
  test('a body is decoded; anything else is shown as received', () => {
    const body = Buffer.from('{"ref-id":"ä"}').toString('base64');
    expect(bodyOf(JSON.stringify({ body }))).toBe('{\n  "ref-id": "ä"\n}');
    expect(bodyOf('no message')).toBeUndefined();
    expect(bodyOf('{"body":"%%%"}')).toBeUndefined();
    expect(indented('no message')).toBe('no message');
    expect(textOf(Buffer.from([0xff, 0x41]).toString('base64'))).toBe('\ufffdA');
  });
});

describe('typed numbers', () => {
  test.each([
    ['', undefined],
    ['  ', undefined],
    ['5', 5],
    ['5.', 5],
    ['.5', 0.5],
    [' −3 ', -3],
    ['5e', NaN],
    ['5e3', NaN],
    ['0x10', NaN],
    ['Infinity', NaN],
    ['5OO', NaN],
    ['1,000', NaN],
    ['--1', NaN],
  ])('%j', (text, value) => expect(numberOf(text)).toBe(value));

  test('errors are reported; an optional number may be empty', () => {
    expect(numberFault('', { min: 1 })).toBeUndefined();
    expect(numberFault('', { min: 1 }, true)).toBe('Enter a number.');
    expect(numberFault('1.5', { isInteger: true })).toBe('Must be a whole number.');
    expect(numberFault('0', { above: 0 })).toBe('Must be above 0.');
    expect(numberFault('0', { min: 1 })).toBe('Must be 1 or more.');
    expect(numberFault('11', { max: 10 })).toBe('Must be 10 or less.');
    expect(numberFault('10', { min: 1, max: 10, isInteger: true })).toBeUndefined();
  });

  test('every rate that the form accepts is valid, and no limit is lifted by mistake', () => {
    const text = fc.oneof(
      fc.constantFrom('', ' ', '0', '5e', '−1', '1', '2', '0.5', '100', '101', '1000000', '1e9'),
      fc.integer().map(String),
      fc.float().map(String),
      fc.string({ maxLength: 4 }),
    );
    const forms = fc.record({
      priority: text,
      limit: fc.constantFrom('none', 'rate'),
      perSecond: text,
      factor: text,
      after: text,
      of: fc.constantFrom('notified', 'succeeded', 'x'),
      atMost: text,
    });
    const validator = checkOf(OperationChange);
    let valid = 0;
    fc.assert(
      fc.property(forms, (form) => {
        const dispatch = dispatchOf(form);
        if (dispatch === undefined) return;
        valid += 1;
        expect(validator.errors(dispatch)).toEqual([]);
        expect(dispatch.rate === null).toBe(form.limit === 'none');
      }),
      { numRuns: 2_000 },
    );
    expect(valid).toBeGreaterThan(10);
  });
});

describe('forms', () => {
  test('a complete plan is valid; an empty one has errors at its steps', () => {
    const form = {
      ...emptyPlan('Europe/Berlin'),
      refId: ' winter ',
      script: 'hu 1.4',
      model: 'm',
      tags: 'a, b',
      ecu: 'HU',
      versions: '1.3.* 1.4.0',
      start: '2030-01-01T10:00',
      windows: [{ from: '22:00', to: '05:00' }],
      pause: '60',
      maxFailures: '9',
      undecided: 'continue' as const,
      retry: [{ state: 'download_fail' as const, reason: ' *net* ', after: '60', times: '2' }],
      priority: '3',
      perSecond: '0.5',
    };
    const plan = planOf(form);
    expect(validatePlan(plan)).toEqual(plan);
    expect(plan).toMatchObject({
      'ref-id': 'winter',
      filter: { tags: ['a', 'b'], ecu: 'HU', versions: ['1.3.*', '1.4.0'] },
      waves: [{ percent: 1 }, { percent: 10 }],
      guard: { test: { tolerated: 0.01, intolerable: 0.05 }, maxFailures: 9 },
      retry: [{ state: 'download_fail', reason: '*net*', after: 60, times: 2 }],
      dispatch: { priority: 3, rate: { perSecond: 0.5 } },
      timeZone: 'Europe/Berlin',
    });
    const named = planOf({ ...form, choice: 'vins', vins: 'WVWZZZ1JZ3W000001\nWVWZZZ1JZ3W000002' });
    expect(named.vins).toHaveLength(2);
    expect(validatePlan(named)).toEqual(named);
    const faults = validatePlan(
      planOf({ ...emptyPlan('UTC'), waves: [{ kind: 'percent', value: '' }] }),
    );
    expect(Array.isArray(faults)).toBe(true);
    const steps = (faults as readonly { path: string }[]).map(({ path }) => stepOf(path));
    expect(new Set(steps)).toEqual(new Set([0, 2]));
  });

  test('a complete script is valid; empty fields are not sent', () => {
    const artifact = { sha256: 'a'.repeat(64), md5: 'b'.repeat(32), size: 7 };
    const stored = { ...artifact, name: 'x', createdAt: '', url: '' };
    const form = {
      ...EMPTY_SCRIPT,
      refId: 's',
      model: 'm',
      ecus: [
        { ...EMPTY_ECU, ecu: 'HU', version: '1.4.0', artifact: artifact.sha256, from: '1.3.*' },
      ],
      consent: 'Now?',
      battery: '30',
      from: '22:00',
      to: '05:00',
      rollback: false,
    };
    const script = scriptOf(form, [stored]);
    expect(validateScript(script)).toEqual(script);
    expect(script).toEqual({
      version: 'v1',
      'script-ref-id': 's',
      model: 'm',
      ecus: [{ ecu: 'HU', version: '1.4.0', artifact, from: ['1.3.*'] }],
      consent: { text: 'Now?' },
      preconditions: { battery: 30 },
      window: { from: '22:00', to: '05:00' },
      rollback: false,
    });
    expect(Array.isArray(validateScript(scriptOf(EMPTY_SCRIPT, [])))).toBe(true);
  });
});
