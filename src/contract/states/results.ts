/** What states mean for the count of an operation: finished, failed, sent, over. */
import { EVENT_STATUS_NAMES } from './event-status.js';
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
/** Finished without success, except by a person's decision. */
export const FAILED = withResult('failed', 'failed-so-far');
/** Failed states from which a later event moves the vehicle on (contract section 5.5). */
export const FAILED_SO_FAR = withResult('failed-so-far');

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
