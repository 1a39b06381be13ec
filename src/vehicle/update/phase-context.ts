/** What the work of a phase is given, and what it answers. */
import { type MetaField } from '../../contract/index.js';
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
  /** Resolves when the user has not paused the update, or does so no more. */
  readonly unpaused: () => Promise<void>;
  /** Aborts when the user pauses the update. */
  readonly pausing: () => AbortSignal;
}

/** How patient and how talkative an update is. */
export interface Pace {
  /** Between two progress events at least, seconds … */
  readonly progressSeconds: number;
  /** … and at least so many percent further. */
  readonly progressPercent: number;
  /** Between two looks at conditions that are not met, ms. */
  readonly lookMs: number;
  /** For the health check of an ECU, seconds. */
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
  /** Goes with the last event that the outcome reports. */
  readonly meta?: readonly MetaField[];
}

export type PhaseResult<P extends Phase> = WorkResult<OutcomeOf<P>>;

export const because = (reason: string): MetaField[] => [{ key: 'reason', value: reason }];

/** The script of an update that has one. */
export function scriptOf({ facts }: RunningUpdate): UpdateScript {
  if (!facts.script) throw new Error('the journal has no update script');
  return facts.script;
}

/** When the phase began, which is remembered over restarts, ms. */
export function beginning({ update, now }: PhaseContext): number {
  const since = update.facts.since ?? now();
  if (update.facts.since === undefined && update.phase !== 'ended') {
    update.step(update.phase, { since });
  }
  return since;
}
