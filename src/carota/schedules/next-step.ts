/** What is to be done for a schedule now: pure. */
import { parseTimestamp } from '../../contract/index.js';
import { nextChange, nextOpening } from '../../update-script/index.js';
import { type Figures, type Judgement } from '../guard/index.js';
import { type SchedulePlan } from './plan.js';

export type ScheduleStatus =
  'proposed' | 'planned' | 'running' | 'paused' | 'held' | 'stopped' | 'completed';

export interface WaveState {
  readonly number: number;
  /** `stopped`: posted, or about to be, when its schedule was stopped. */
  readonly state: 'waiting' | 'posting' | 'running' | 'passed' | 'stopped';
  /** ms */
  readonly passedAt: number | undefined;
  /** When its patience is over, ms. */
  readonly judgedAt: number | undefined;
}

export interface ScheduleState {
  readonly status: ScheduleStatus;
  readonly plan: SchedulePlan;
  readonly waves: readonly WaveState[];
  /** Vehicles that have not finished. */
  readonly open: number;
  /** Of the wave that is running; undefined where none is. */
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
  /** Until then, ms; undefined: until an event or a person moves it. */
  | { readonly do: 'wait'; readonly until: number | undefined };

/** @param now ms */
export function nextStep(schedule: ScheduleState, now: number): Step {
  const step = stepOf(schedule, now);
  if (step.do !== 'wait' || schedule.status !== 'running') return step;
  // Where a window opens or closes, the adapter may have to be told.
  return wait(earliest(step.until, windowChange(schedule.plan, now)));
}

function stepOf(schedule: ScheduleState, now: number): Step {
  const { status, plan, waves, judgement } = schedule;
  if (status === 'planned')
    return dueAt(plan, now) <= now ? { do: 'start' } : wait(dueAt(plan, now));
  if (status !== 'running' && status !== 'held') return wait(undefined);

  // What has failed stops it, also while it is held and after its last wave has passed.
  if (judgement?.decision === 'stop') {
    const { reason, figures } = judgement;
    return { do: 'stop', by: 'guard', reason, figures };
  }
  if (status === 'held') return wait(undefined);

  const next = waves.find(({ state }) => state === 'waiting');
  const current = waves.find(({ state }) => state === 'posting' || state === 'running');
  if (current?.state === 'posting') return { do: 'post', wave: current.number };
  if (current && judgement && judgement.decision !== 'wait') {
    // After the last wave there is nothing to hold.
    return judgement.decision === 'hold' && next
      ? { do: 'hold', judgement }
      : { do: 'pass', wave: current.number, judgement };
  }
  if (next === undefined) return afterLastWave(schedule, now);
  if (isOver(plan, now)) {
    return { do: 'stop', by: 'scheduler', reason: 'its stop time has come' };
  }
  if (current) return wait(earliest(stopTime(plan), current.judgedAt));
  const due = nextWaveDue(schedule, next, now);
  return due <= now ? { do: 'post', wave: next.number } : wait(earliest(due, stopTime(plan)));
}

const earliest = (...times: (number | undefined)[]) => {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
};

const wait = (until: number | undefined): Step => ({ do: 'wait', until });

/** It is over when every vehicle has finished, or its stop time has come. */
function afterLastWave({ open, plan }: ScheduleState, now: number): Step {
  if (open === 0) return { do: 'complete', reason: 'every vehicle has finished' };
  return isOver(plan, now)
    ? { do: 'complete', reason: `its stop time has come; ${open} vehicles have not finished` }
    : wait(stopTime(plan));
}

const stopTime = ({ stop }: SchedulePlan) =>
  stop === undefined ? undefined : parseTimestamp(stop);
const isOver = (plan: SchedulePlan, now: number) => now >= (stopTime(plan) ?? Infinity);

function dueAt({ start }: SchedulePlan, now: number): number {
  return start === undefined ? now : parseTimestamp(start);
}

function nextWaveDue({ plan, waves }: ScheduleState, next: WaveState, now: number): number {
  const before = waves.find(({ number }) => number === next.number - 1);
  const rested =
    before?.passedAt === undefined ? dueAt(plan, now) : before.passedAt + (plan.pause ?? 0) * 1000;
  return windowOpening(plan, Math.max(rested, now));
}

/** When a wave may begin, at this time or after it, ms. */
export function windowOpening({ windows, timeZone = 'UTC' }: SchedulePlan, time: number): number {
  if (!windows || windows.length === 0) return time;
  return Math.min(...windows.map((window) => nextOpening(window, timeZone, time)));
}

/** When one of the windows opens or closes next, ms. */
function windowChange({ windows = [], timeZone = 'UTC' }: SchedulePlan, now: number) {
  return earliest(...windows.map((window) => nextChange(window, timeZone, now)));
}
