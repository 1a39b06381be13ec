/** What states mean for the count of an operation: finished, failed, sent, over. */
import {
  EVENT_STATUS_NAMES,
  type EventStatusName,
  INTERRUPTIONS,
  LIFECYCLE,
} from './event-status.js';
import { DELIVERIES, EVENT_STATUSES, PLANNED_STATES, type UpdateResult } from './table.js';

const RESULT_OF = new Map<string, UpdateResult>(
  EVENT_STATUS_NAMES.flatMap((name) => {
    const facts = EVENT_STATUSES[name];
    return 'result' in facts ? [[name, facts.result] as const] : [];
  }),
);

/** The result of a vehicle in this state; undefined while it has not finished (contract section 5.5). */
export const resultOf = (state: string): UpdateResult | undefined => RESULT_OF.get(state);

const withResult = (...results: readonly UpdateResult[]): ReadonlySet<string> =>
  new Set([...RESULT_OF].filter(([, result]) => results.includes(result)).map(([name]) => name));

/** States in which the vehicle has finished (contract section 5.5). */
export const FINISHED: ReadonlySet<string> = new Set(RESULT_OF.keys());
/** Finished states in which the update did not succeed, for any reason. */
export const UNSUCCESSFUL = withResult('failed', 'failed-so-far', 'withdrawn');
/** What every vehicle should report on its way to success, in the order of an update's life. */
export const STAGES = LIFECYCLE.filter(
  (name) => !INTERRUPTIONS.has(name) && !UNSUCCESSFUL.has(name),
);
/** Finished without success, except by a person's decision. */
export const FAILED = withResult('failed', 'failed-so-far');
/**
 * Finished, and nothing more is expected of the attempt. From the others, failures so far, the vehicle may go on (contract
 * section 5.5).
 */
export const FINAL = withResult('succeeded', 'failed', 'withdrawn');
/** Failed states from which a later event moves the vehicle on (contract section 5.5). */
export const FAILED_SO_FAR = withResult('failed-so-far');

/** A failure that a new attempt can help. */
export type RetriedState = {
  [Name in EventStatusName]: (typeof EVENT_STATUSES)[Name] extends { cannotRetry: true }
    ? never
    : (typeof EVENT_STATUSES)[Name] extends { result: 'failed' | 'failed-so-far' }
      ? Name
      : never;
}[EventStatusName];
/** Failures that a new attempt can help, in the order of an update's life. */
export const RETRIED_STATES: readonly RetriedState[] = LIFECYCLE.filter(
  (name): name is RetriedState => FAILED.has(name) && !('cannotRetry' in EVENT_STATUSES[name]),
);

/** What a vehicle reports once it goes on after the consent. */
const PAST_CONSENT = LIFECYCLE.filter(
  (name) =>
    EVENT_STATUSES[name].rank >= EVENT_STATUSES.downloading.rank &&
    !INTERRUPTIONS.has(name) &&
    resultOf(name) !== 'withdrawn',
);
const mayPrecedeConsent = (name: EventStatusName) => 'mayPrecedeConsent' in EVENT_STATUSES[name];
/** Reports that show that a vehicle has gone on after the consent, whether it asked for admission or not (contract section 10.1). */
export const EXPOSING: ReadonlySet<string> = new Set(
  PAST_CONSENT.filter((name) => !mayPrecedeConsent(name)),
);
/** Reports that show it of a vehicle that has consented before. */
export const EXPOSING_IF_CONSENTED: ReadonlySet<string> = new Set(
  PAST_CONSENT.filter(mayPrecedeConsent),
);

const BEFORE_EVENTS = Object.entries({ ...PLANNED_STATES, ...DELIVERIES });
const beforeEvents = (matches: (facts: (typeof BEFORE_EVENTS)[number][1]) => boolean) =>
  new Set(BEFORE_EVENTS.filter(([, facts]) => matches(facts)).map(([name]) => name));

/** The trigger has not gone out yet, and may still. */
export const TO_BE_SENT: ReadonlySet<string> = beforeEvents(
  ({ isSent, hasEnded }) => !isSent && !hasEnded,
);
/** Nothing more will be sent by itself, and no answer is awaited. */
export const DELIVERY_ENDED: ReadonlySet<string> = beforeEvents(({ hasEnded }) => hasEnded);
/** The trigger was not sent. Every other state, and each one from an event, belongs to a notified vehicle. */
export const NOT_NOTIFIED: ReadonlySet<string> = beforeEvents(({ isSent }) => !isSent);
