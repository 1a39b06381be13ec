/** The next step of a schedule, decided without a database or a clock. */
import { describe, expect, test } from 'vitest';
import { type Judgement } from '../../src/carota/guard/index.js';
import { nextStep, type ScheduleState } from '../../src/carota/schedules/next-step.js';
import { waveSizes } from '../../src/carota/schedules/wave-sizes.js';

const at = (clock: string) => Date.parse(`2026-11-24T${clock}:00Z`);
const plan = { 'ref-id': 'r', 'script-ref-id': 's', model: 'm' };
const wave = (
  number: number,
  state: ScheduleState['waves'][number]['state'],
  passedAt?: number,
  judgedAt?: number,
) => ({ number, state, passedAt, judgedAt });
const judged = (decision: Judgement['decision']): Judgement => ({ decision, reason: decision });

const stepAt = (clock: string, state: Partial<ScheduleState>) =>
  nextStep(
    { status: 'running', plan, waves: [], open: 1, judgement: undefined, ...state },
    at(clock),
  );

describe('a schedule', () => {
  test('starts when it is due, and not before', () => {
    const start = { ...plan, start: '2026-11-24T13:00:00+01:00' };
    expect(stepAt('11:59', { status: 'planned', plan: start })).toEqual({
      do: 'wait',
      until: at('12:00'),
    });
    expect(stepAt('12:00', { status: 'planned', plan: start })).toEqual({ do: 'start' });
    expect(stepAt('12:00', { status: 'planned' })).toEqual({ do: 'start' });
  });

  test('posts the first wave, and repeats one whose answer was lost', () => {
    expect(stepAt('12:00', { waves: [wave(1, 'waiting')] })).toEqual({ do: 'post', wave: 1 });
    const posting = [wave(1, 'posting'), wave(2, 'waiting')];
    expect(stepAt('12:00', { waves: posting })).toEqual({ do: 'post', wave: 1 });
  });

  test('pauses between waves, then waits for a window, and checks again when the window closes', () => {
    const windows = [{ from: '12:00', to: '13:00' }];
    const waves = [wave(1, 'passed', at('11:00')), wave(2, 'waiting')];
    const resting = { waves, plan: { ...plan, pause: 1800 } };
    expect(stepAt('11:00', resting)).toEqual({ do: 'wait', until: at('11:30') });
    expect(stepAt('11:30', resting)).toEqual({ do: 'post', wave: 2 });
    const windowed = { waves, plan: { ...resting.plan, windows } };
    expect(stepAt('11:30', windowed)).toEqual({ do: 'wait', until: at('12:00') });
    expect(stepAt('12:00', windowed)).toEqual({ do: 'post', wave: 2 });
    const running = { ...windowed, waves: [wave(1, 'running')], judgement: judged('wait') };
    expect(stepAt('12:30', running)).toEqual({ do: 'wait', until: at('13:00') });
  });

  test.each([
    ['go', { do: 'pass', wave: 1, judgement: judged('go') }],
    ['hold', { do: 'hold', judgement: judged('hold') }],
    ['stop', { do: 'stop', by: 'guard', reason: 'stop', figures: undefined }],
    ['wait', { do: 'wait', until: at('12:10') }],
  ] as const)('whose wave is judged %s', (decision, step) => {
    const waves = [wave(1, 'running', undefined, at('12:10')), wave(2, 'waiting')];
    expect(stepAt('12:00', { waves, judgement: judged(decision) })).toEqual(step);
  });

  test('is not held after its last wave, and is complete when all have finished', () => {
    const last = [wave(1, 'running')];
    expect(stepAt('12:00', { waves: last, judgement: judged('hold') })).toMatchObject({
      do: 'pass',
    });
    const passed = { waves: [wave(1, 'passed', at('11:00'))] };
    expect(stepAt('12:00', passed)).toEqual({ do: 'wait', until: undefined });
    expect(stepAt('12:00', { ...passed, open: 0 })).toMatchObject({ do: 'complete' });
  });

  test('is stopped by failures even after its waves have passed, and while it is held', () => {
    const waves = [wave(1, 'passed', at('11:00'))];
    expect(stepAt('12:00', { waves, judgement: judged('stop') })).toMatchObject({ do: 'stop' });
    const held = { status: 'held' as const, waves: [wave(1, 'running'), wave(2, 'waiting')] };
    expect(stepAt('12:00', { ...held, judgement: judged('stop') })).toMatchObject({ do: 'stop' });
    expect(stepAt('12:00', { ...held, judgement: judged('go') })).toMatchObject({ do: 'wait' });
  });

  test('starts no wave after its stop time; vehicles in progress may finish', () => {
    const stopping = { ...plan, stop: '2026-11-24T12:00:00Z' };
    const waiting = [wave(1, 'passed', at('11:00')), wave(2, 'waiting')];
    expect(stepAt('12:00', { plan: stopping, waves: waiting })).toMatchObject({
      do: 'stop',
      by: 'scheduler',
    });
    const done = [wave(1, 'passed', at('11:00'))];
    expect(stepAt('12:00', { plan: stopping, waves: done })).toMatchObject({
      do: 'complete',
      reason: 'its stop time has been reached; 1 vehicles have not finished',
    });
  });

  test.each(['paused', 'stopped', 'completed'] as const)(
    'that is %s waits for a person',
    (status) => {
      expect(stepAt('12:00', { status, waves: [wave(1, 'waiting')] })).toEqual({
        do: 'wait',
        until: undefined,
      });
    },
  );
});

describe('waves', () => {
  test.each([
    ['without any, all in one', [], 10, [], [10]],
    ['numbers, then the rest', [{ vehicles: 3 }, { vehicles: 4 }], 10, [0, 0], [3, 4, 3]],
    ['a percentage is rounded up: a canary is at least one', [{ percent: 1 }], 10, [0], [1, 9]],
    ['of all, not of what is left', [{ percent: 50 }, { percent: 50 }], 10, [0, 0], [5, 5]],
    [
      'more than there are',
      [{ vehicles: 8 }, { vehicles: 8 }, { vehicles: 8 }],
      10,
      [0, 0, 0],
      [8, 2, 0],
    ],
    [
      'those that are named, wherever they stand',
      [{ vehicles: 9 }, { vins: ['a', 'b'] }],
      10,
      [0, 2],
      [8, 2],
    ],
    ['named ones that are not there', [{ vins: ['a', 'b'] }], 10, [1], [1, 9]],
  ])('%s', (_what, waves, total, named, sizes) => {
    expect(waveSizes(waves, total, named)).toEqual(sizes);
  });
});
