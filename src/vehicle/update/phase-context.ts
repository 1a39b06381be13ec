/** Input and result of the work of a phase. */
import { type MetaField, reasonField } from '../../contract/index.js';
import { type UpdateScript } from '../../update-script/index.js';
import { type RunningUpdate } from '../ota-manager.js';
import { type Equipment } from './equipment.js';
import { type ChangedFacts } from './facts.js';
import { type OutcomeOf, type Phase } from './machine.js';

export interface PhaseContext {
  readonly update: RunningUpdate;
  readonly equipment: Equipment;
  /** Of the vehicle. */
  readonly model: string;
  readonly pace: Pace;
  /** ms */
  readonly now: () => number;
  /** Aborts when the agent stops, or the user cancels. */
  readonly signal: AbortSignal;
  /** Resolves when the user has not paused the update, or resumes it. */
  readonly unpaused: () => Promise<void>;
  /** Aborts when the user pauses the update. */
  readonly pausing: () => AbortSignal;
}

/** Intervals and timeouts of an update. */
export interface Pace {
  /** Minimum time between two progress events, seconds … */
  readonly progressSeconds: number;
  /** … and minimum progress between them, percent. */
  readonly progressPercent: number;
  /** Interval of checking unmet conditions, ms. */
  readonly lookMs: number;
  /** Timeout of the health check of an ECU, seconds. */
  readonly checkSeconds: number;
}

/** Default intervals of an update. */
export const DEFAULT_PACE: Pace = {
  progressSeconds: 5,
  progressPercent: 5,
  lookMs: 5_000,
  checkSeconds: 60,
};

export interface WorkResult<Outcome extends string = string> {
  readonly outcome: Outcome;
  readonly facts?: ChangedFacts;
  /** Attached to the last event reported by the outcome. */
  readonly meta?: readonly MetaField[];
}

export type PhaseResult<P extends Phase> = WorkResult<OutcomeOf<P>>;

export const because = (reason: string): MetaField[] => [reasonField(reason)];

/** The script of an update that has one. */
export function scriptOf({ facts }: RunningUpdate): UpdateScript {
  if (!facts.script) throw new Error('the journal has no update script');
  return facts.script;
}

/** Start time of the phase, kept across restarts, ms. */
export function beginning({ update, now }: PhaseContext): number {
  const since = update.facts.since ?? now();
  if (update.facts.since === undefined && update.phase !== 'ended') {
    update.step(update.phase, { since });
  }
  return since;
}
