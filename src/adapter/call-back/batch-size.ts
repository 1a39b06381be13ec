/**
 * How many events a batch has. A receiver may refuse a batch for the sake of one event; it is then halved, so that the
 * events before that one get through and only what follows it waits. Nothing is skipped. Pure.
 *
 * Only an answer that says the batch was not taken for what is in it allows that: any other (a time-out, 5xx) may come
 * from a receiver that has taken the batch, and the same batch is repeated under its webhook-id.
 */

/** Bad Request, Conflict, Content Too Large, Unprocessable Content (RFC 9110). */
const REFUSALS = new Set([400, 409, 413, 422]);

export const isRefusal = (status: number | undefined): boolean =>
  status !== undefined && REFUSALS.has(status);

/** A batch of full size is repeated as it was so many times: the receiver may just have been set up wrongly. */
const TRIES_AS_IT_WAS = 3;

/**
 * @param limit events in a batch at present; null: as many as the settings say
 * @param events in the batch that was refused
 * @param tries of it, this one included
 * @returns the limit from now on; undefined: the batch is repeated as it was
 */
export function limitAfterRefusal(
  limit: number | null,
  events: number,
  tries: number,
): number | undefined {
  if (events <= 1 || (limit === null && tries < TRIES_AS_IT_WAS)) return undefined;
  return Math.floor(events / 2);
}

/** After a batch was settled: twice as many, until one of full size was settled. */
export function limitAfterSettled(limit: number | null, full: number): number | null {
  return limit === null || limit >= full ? null : Math.min(limit * 2, full);
}
