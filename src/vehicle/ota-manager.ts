/** The OTA manager of a vehicle: does the work of one update and reports how it goes. */
import { type EventStatusName, type MetaField } from '../contract/index.js';
import { type ChangedFacts, type TakenTrigger, type UpdateFacts } from './update/facts.js';
import { type Phase } from './update/machine.js';

/** An event for the cloud, without its envelope. */
export interface ReportedEvent {
  readonly status: EventStatusName;
  readonly meta?: readonly MetaField[];
}

/** An update that is being worked on, as the journal has it. */
export interface RunningUpdate {
  readonly trigger: TakenTrigger;
  /** Where it stands, also after a restart. */
  readonly phase: Phase | 'ended';
  readonly facts: UpdateFacts;
  /**
   * Goes on to a phase: journals it together with what is remembered and reported, in one piece. When it returns,
   * neither can be lost, and the messages are on their way.
   */
  step(phase: Phase | 'ended', facts?: ChangedFacts, events?: readonly ReportedEvent[]): void;
  /** Reports within a phase. */
  report(status: EventStatusName, meta?: readonly MetaField[]): void;
  /** Aborts when the agent stops: the update goes on at the next start. */
  readonly stopping: AbortSignal;
}

/**
 * Works on updates for the {@link VehicleAgent}. {@link UpdateRunner} is ours; bring your own to replace it
 * altogether.
 */
export interface OtaManager {
  /**
   * Works on one update until it has finished, or the agent stops.
   */
  run(update: RunningUpdate): Promise<void>;
}
