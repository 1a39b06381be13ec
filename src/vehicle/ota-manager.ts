/** The interface of a vehicle's OTA manager: performs an update and reports its progress. */
import { type EventStatusName, type MetaField } from '../contract/index.js';
import { type ChangedFacts, type TakenTrigger, type UpdateFacts } from './update/facts.js';
import { type Phase } from './update/machine.js';

/** An event for the cloud, without its envelope. */
export interface ReportedEvent {
  readonly status: EventStatusName;
  readonly meta?: readonly MetaField[];
}

/** An update in progress, as recorded in the journal. */
export interface RunningUpdate {
  readonly trigger: TakenTrigger;
  /** The current phase, kept across restarts. */
  readonly phase: Phase | 'ended';
  readonly facts: UpdateFacts;
  /** Result of this vehicle's last update of the same operation, if any. */
  readonly previousResult?: EventStatusName | undefined;
  /**
   * Enters a phase: journals it atomically together with changed facts and reported events. Once it returns,
   * neither can be lost, and the messages are on their way.
   */
  step(phase: Phase | 'ended', facts?: ChangedFacts, events?: readonly ReportedEvent[]): void;
  /** Reports an event within a phase. */
  report(status: EventStatusName, meta?: readonly MetaField[]): void;
  /** Aborts when the agent stops; the update continues at the next start. */
  readonly stopping: AbortSignal;
}

/**
 * Performs updates for the {@link VehicleAgent}. {@link UpdateRunner} is ours; provide your own to replace it entirely.
 */
export interface OtaManager {
  /**
   * Performs one update until it has finished, or the agent stops.
   */
  run(update: RunningUpdate): Promise<void>;
  /** Another trigger is queued during an update; the manager may cancel the update for it. */
  another?(trigger: TakenTrigger): void;
}
