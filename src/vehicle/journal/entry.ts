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

/** The platform has acknowledged a message. */
export interface MessageDelivered {
  readonly kind: 'delivered';
  readonly messageId: string;
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

export type JournalEntry =
  TriggerTaken | StepDone | MessageDelivered | TriggerKnown | ClockRead | MessageWaiting;
