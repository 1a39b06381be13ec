/** Decides the next step of a schedule. Pure. */
import {
  type Figures,
  type SchedulePlan,
  type ScheduleStatus,
  type WaveState,
} from '../../contract/carota-api/index.js';
import { parseTimestamp } from '../../contract/index.js';
import { nextChange, nextOpening } from '../../update-script/index.js';
import { type Judgement } from '../guard/index.js';

interface WaveStatus {
  readonly number: number;
  readonly state: WaveState;
  /** ms */
  readonly passedAt: number | undefined;
  /** End of the wave's patience, ms. */
  readonly judgedAt: number | undefined;
}

export interface ScheduleState {
  readonly status: ScheduleStatus;
  readonly plan: SchedulePlan;
  readonly waves: readonly WaveStatus[];
  /** Vehicles that have not finished. */
  readonly open: number;
  /** The guard's judgement of the current wave; undefined: no wave has been posted. */
  readonly judgement: Judgement | undefined;
}

export type Step =
  | { readonly do: 'start' }
  | { readonly do: 'post'; readonly wave: number }
  | { readonly do: 'pass'; readonly wave: number; readonly judgement: Judgement }
  | { readonly do: 'hold'; readonly judgement: Judgement }
  | {
      readonly do: 'stop';
      readonly by: 'guard' | 'scheduler';
      readonly reason: string;
      readonly figures?: Figures | undefined;
    }
  | { readonly do: 'complete'; readonly reason: string }
  /** Until this time, ms; undefined: until an event or a person's action. */
  | { readonly do: 'wait'; readonly until: number | undefined };

/** @param now ms */
export function nextStep(schedule: ScheduleState, now: number): Step {
  const step = stepOf(schedule, now);
  if (step.do !== 'wait' || schedule.status !== 'running') return step;
  // When a window opens or closes, the operation may have to be resumed or paused.
  return wait(earliest(step.until, windowChange(schedule.plan, now)));
}

function stepOf(schedule: ScheduleState, now: number): Step {
  const { status, plan, waves, judgement } = schedule;
  if (status === 'planned')
    return dueAt(plan, now) <= now ? { do: 'start' } : wait(dueAt(plan, now));
  if (status !== 'running' && status !== 'held') return wait(undefined);

  // Failures stop a held schedule too, and one whose last wave has passed.
  if (judgement?.decision === 'stop') {
    const { reason, figures } = judgement;
    return { do: 'stop', by: 'guard', reason, figures };
  }
  if (status === 'held') return wait(undefined);

  const next = waves.find(({ state }) => state === 'waiting');
  const current = waves.find(({ state }) => state === 'posting' || state === 'running');
  if (current?.state === 'posting') return { do: 'post', wave: current.number };
  if (current && judgement && judgement.decision !== 'wait') {
    // After the last wave there is nothing left to hold.
    return judgement.decision === 'hold' && next
      ? { do: 'hold', judgement }
      : { do: 'pass', wave: current.number, judgement };
  }
  if (next === undefined) return afterLastWave(schedule, now);
  if (isOver(plan, now)) {
    return { do: 'stop', by: 'scheduler', reason: 'its stop time has been reached' };
  }
  if (current) return wait(earliest(stopTime(plan), current.judgedAt));
  const due = nextWaveDue(schedule, next, now);
  return due <= now ? { do: 'post', wave: next.number } : wait(earliest(due, stopTime(plan)));
}

const earliest = (...times: (number | undefined)[]) => {
  const given = times.filter((time) => time !== undefined);
  return given.length === 0 ? undefined : Math.min(...given);
};

const wait = (until: number | undefined): Step => ({ do: 'wait', until });

/** The schedule is complete when every vehicle has finished, or at its stop time. */
function afterLastWave({ open, plan }: ScheduleState, now: number): Step {
  if (open === 0) return { do: 'complete', reason: 'every vehicle has finished' };
  return isOver(plan, now)
    ? {
        do: 'complete',
        reason: `its stop time has been reached; ${open} vehicles have not finished`,
      }
    : wait(stopTime(plan));
}

const stopTime = ({ stop }: SchedulePlan) =>
  stop === undefined ? undefined : parseTimestamp(stop);
const isOver = (plan: SchedulePlan, now: number) => now >= (stopTime(plan) ?? Infinity);

function dueAt({ start }: SchedulePlan, now: number): number {
  return start === undefined ? now : parseTimestamp(start);
}

function nextWaveDue({ plan, waves }: ScheduleState, next: WaveStatus, now: number): number {
  const before = waves.find(({ number }) => number === next.number - 1);
  const rested =
    before?.passedAt === undefined ? dueAt(plan, now) : before.passedAt + (plan.pause ?? 0) * 1000;
  return windowOpening(plan, Math.max(rested, now));
}

/** The earliest time, at or after the given one, at which a wave may start, ms. */
export function windowOpening({ windows, timeZone = 'UTC' }: SchedulePlan, time: number): number {
  if (!windows || windows.length === 0) return time;
  return Math.min(...windows.map((window) => nextOpening(window, timeZone, time)));
}

/** When a window opens or closes next, ms. */
function windowChange({ windows = [], timeZone = 'UTC' }: SchedulePlan, now: number) {
  return earliest(...windows.map((window) => nextChange(window, timeZone, now)));
}
