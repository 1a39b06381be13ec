/** Transitions between the statuses of a schedule and their consequences, without a database. */
import { describe, expect, test } from 'vitest';
import { SCHEDULE_STATUSES, type ScheduleStatus } from '../../src/contract/carota-api/index.js';
import { ScheduleRecord, type WaveRow } from '../../src/carota/schedules/schedule-record.js';
import { isEnded, statusAfter, type Transition } from '../../src/carota/schedules/transitions.js';
import { rowOf, waveOf } from './support/schedule-rows.js';

/** `-`: not allowed; `=`: done already. */
const TABLE = `
             proposed  planned   running    paused    held     stopped   completed
  approve    planned   -         -          -         -        -         -
  start      -         running   -          -         -        -         -
  pause      -         -         paused     =         paused   -         -
  resume     -         -         -          running   -        -         -
  hold       -         -         held       -         -        -         -
  continue   -         -         -          -         running  -         -
  stop       stopped   stopped   stopped    stopped   stopped  =         -
  complete   -         -         completed  -         -        -         -
`;
const [head = [], ...rows] = TABLE.trim()
  .split('\n')
  .map((line) => line.trim().split(/\s+/));
const PAIRS = rows.flatMap(([transition = '', ...cells]) =>
  cells.map((cell, place) => ({
    transition: transition as Transition,
    status: head[place] as ScheduleStatus,
    expected: cell,
  })),
);

const NOW = Date.UTC(2026, 10, 24, 12);
const EARLIER = new Date(NOW - 60_000);
const BY_STATE: readonly WaveRow['state'][] = ['passed', 'running', 'posting', 'waiting'];

/** With one wave in each of these states, numbered from 1. */
function scheduleThat(status: ScheduleStatus, states = BY_STATE): ScheduleRecord {
  const isUnderWay = status !== 'proposed' && status !== 'planned';
  const hasEnded = isEnded(status);
  return new ScheduleRecord(
    {
      ...rowOf({ 'ref-id': 'r', 'script-ref-id': 's', model: 'm' }),
      status,
      reason: status === 'held' || status === 'stopped' ? 'as it was' : '',
      started_at: isUnderWay ? EARLIER : null,
      ended_at: hasEnded ? EARLIER : null,
    },
    states.map((state, place) => ({
      ...waveOf(10),
      number: place + 1,
      state,
      posted_at: null,
    })),
  );
}

const statesOf = ({ waves }: ScheduleRecord) => waves.map(({ state }) => state);

test('the table has every transition and every status', () => {
  expect(head).toEqual([...SCHEDULE_STATUSES]);
  expect(PAIRS).toHaveLength(8 * SCHEDULE_STATUSES.length);
});

describe.each(PAIRS)('$transition of a $status schedule', ({ transition, status, expected }) => {
  const after = expected === '=' ? status : expected;
  const isChange = expected !== '-' && expected !== '=';

  test(`is ${expected}`, () => {
    expect(statusAfter(status, transition) ?? '-').toBe(after);
    const schedule = scheduleThat(status);
    const apply = () => schedule.apply(transition, NOW, 'why');
    if (expected === '-')
      expect(apply).toThrow(`${transition} is not allowed while the schedule is ${status}`);
    else expect(apply()).toBe(expected !== '=');
    expect(schedule.status).toBe(expected === '-' ? status : after);
  });

  if (!isChange) {
    test('changes nothing', () => {
      const schedule = scheduleThat(status);
      const { startedAt, endedAt, reason } = schedule;
      if (expected === '=') schedule.apply(transition, NOW, 'why');
      else expect(() => schedule.apply(transition, NOW, 'why')).toThrow();
      expect(schedule).toMatchObject({ startedAt, endedAt, reason });
      expect(statesOf(schedule)).toEqual(BY_STATE);
    });
    return;
  }

  test('has its consequences', () => {
    const schedule = scheduleThat(status);
    schedule.apply(transition, NOW, 'why');
    const started = transition === 'start' ? NOW : schedule.startedAt?.getTime();
    expect(schedule.startedAt?.getTime()).toBe(started);
    expect(schedule.endedAt?.getTime()).toBe(
      after === 'stopped' || after === 'completed' ? NOW : undefined,
    );
    expect(schedule.reason).toBe(after === 'held' || after === 'stopped' ? 'why' : '');
  });
});

test.each(['stop', 'complete'] as const)('after %s no wave continues', (transition) => {
  const schedule = scheduleThat('running');
  schedule.apply(transition, NOW);
  expect(statesOf(schedule)).toEqual(['passed', 'stopped', 'stopped', 'waiting']);
});

test('a wave whose event reaches the adapter after the schedule was stopped stays stopped', () => {
  const schedule = scheduleThat('running', ['posting', 'waiting']);
  schedule.apply('stop', NOW - 1_000, 'by a person');
  schedule.posted(1, 3, NOW);
  expect(schedule.waves[0]).toMatchObject({
    state: 'stopped',
    posted_at: new Date(NOW),
    rejected: 3,
  });
});

test('a wave whose event reaches the adapter during a pause is running', () => {
  const schedule = scheduleThat('running', ['posting', 'waiting']);
  schedule.apply('pause', NOW - 1_000);
  schedule.posted(1, 0, NOW);
  expect(statesOf(schedule)).toEqual(['running', 'waiting']);
});

test('continuing passes the held wave; its vehicles stay in the test', () => {
  const schedule = scheduleThat('held', ['passed', 'running', 'waiting']);
  schedule.apply('continue', NOW);
  expect(statesOf(schedule)).toEqual(['passed', 'passed', 'waiting']);
  expect(schedule.waves[1]?.passed_at).toEqual(new Date(NOW));
  expect(schedule.testFrom).toBe(1);
});

test('an approval records who gave it, and when', () => {
  const schedule = scheduleThat('proposed');
  const what = { by: 'second', digest: 'of all', script: 'of the script' };
  schedule.approve(what, NOW);
  expect(schedule).toMatchObject({
    status: 'planned',
    approval: { ...what, at: new Date(NOW) },
  });
});
