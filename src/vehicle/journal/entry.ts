/** What a vehicle writes down, entry by entry. */
import { type OutgoingMessage } from '../outbox.js';
import { type ChangedFacts, type TakenTrigger } from '../update/facts.js';
import { type Phase } from '../update/machine.js';

/** A trigger has come: its update waits for its turn. */
export interface TriggerTaken {
  readonly kind: 'trigger';
  readonly trigger: TakenTrigger;
  readonly ack: OutgoingMessage;
  /** Whether the acknowledgement is to be sent. */
  readonly sendsAck: boolean;
}

/** An update goes on; what it reports is in the same entry, so that there is never one without the other. */
export interface StepDone {
  readonly kind: 'step';
  /** `message_id` of its trigger. */
  readonly update: string;
  readonly phase: Phase | 'ended';
  readonly facts: ChangedFacts;
  readonly messages: readonly OutgoingMessage[];
  /** When, by the vehicle's clock, ms. */
  readonly at: number;
}

/** The platform has acknowledged a message. It may still lose it. */
export interface MessageDelivered {
  readonly kind: 'delivered';
  readonly messageId: string;
  /** By a clock that starts with the agent and never jumps, ms. */
  readonly at: number;
}

/** What was acknowledged before is safe. */
export interface DeliveriesCertain {
  readonly kind: 'certain';
  /** By the clock of the deliveries, ms. */
  readonly before: number;
}

/** What was acknowledged since may be lost, and waits again; what was acknowledged before is safe. */
export interface DeliveriesRepeated {
  readonly kind: 'repeat';
  /** By the clock of the deliveries, ms. */
  readonly since: number;
}

/** An update that ended before this journal was cut: a repetition of its trigger is still known. */
export interface TriggerKnown {
  readonly kind: 'known';
  readonly ack: OutgoingMessage;
  readonly update: string;
}

/** The clock's highest reading before this journal was cut, ms. */
export interface ClockRead {
  readonly kind: 'clock';
  readonly at: number;
}

/** A message that waited when this journal was cut. */
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
  | TriggerKnown
  | ClockRead
  | MessageWaiting;
