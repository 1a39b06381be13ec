/** The entries of a vehicle's journal. */
import { type EventStatusName } from '../../contract/index.js';
import { type OutgoingMessage } from '../outbox.js';
import { type ChangedFacts, type TakenTrigger } from '../update/facts.js';
import { type Phase } from '../update/machine.js';

/** A trigger has arrived; its update is queued. */
export interface TriggerTaken {
  readonly kind: 'trigger';
  readonly trigger: TakenTrigger;
  readonly ack: OutgoingMessage;
  /** Whether the acknowledgement must be sent. */
  readonly sendsAck: boolean;
}

/** An update advances. Its events are in the same entry, so that neither exists without the other. */
export interface StepDone {
  readonly kind: 'step';
  /** `message_id` of its trigger. */
  readonly update: string;
  readonly phase: Phase | 'ended';
  readonly facts: ChangedFacts;
  readonly messages: readonly OutgoingMessage[];
  /** Time by the vehicle's clock, ms. */
  readonly at: number;
  /** The reported result of the update, if it has finished. */
  readonly result?: EventStatusName | undefined;
}

/** How the last update of an operation ended before the journal was compacted. */
export interface EarlierResult {
  readonly kind: 'result';
  readonly refId: string;
  readonly result: EventStatusName;
}

/** The broker has acknowledged a message, but may still lose it. */
export interface MessageDelivered {
  readonly kind: 'delivered';
  readonly messageId: string;
  /** Monotonic clock that starts with the agent, ms. */
  readonly at: number;
}

/** Messages acknowledged before this time are safe. */
export interface DeliveriesCertain {
  readonly kind: 'certain';
  /** By the clock of the deliveries, ms. */
  readonly before: number;
}

/** Messages acknowledged since this time may be lost and are queued again; earlier ones are safe. */
export interface DeliveriesRepeated {
  readonly kind: 'repeat';
  /** By the clock of the deliveries, ms. */
  readonly since: number;
}

/** An update that finished before the journal was compacted; a duplicate of its trigger is still recognised. */
export interface EarlierTrigger {
  readonly kind: 'earlier';
  readonly ack: OutgoingMessage;
  readonly update: string;
}

/** The highest reading of the clock before the journal was compacted, ms. */
export interface ClockRead {
  readonly kind: 'clock';
  readonly at: number;
}

/** A message that was queued when the journal was compacted. */
export interface MessageWaiting {
  readonly kind: 'waiting';
  readonly message: OutgoingMessage;
}

/** One entry of the journal: a step, with the events that it reports. */
export type JournalEntry =
  | TriggerTaken
  | StepDone
  | MessageDelivered
  | DeliveriesCertain
  | DeliveriesRepeated
  | EarlierTrigger
  | EarlierResult
  | ClockRead
  | MessageWaiting;
