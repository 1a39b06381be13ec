/**
 * The size of a batch. If a receiver refuses a batch because of one event, the batch is halved, so that the events before
 * that one are delivered and only those after it wait. Nothing is skipped. Pure.
 *
 * This applies only to an answer that refuses the content. After any other failure (a timeout, 5xx) the receiver may have
 * accepted the batch, so the same batch is repeated under its webhook-id.
 */

/** Bad Request, Conflict, Content Too Large, Unprocessable Content (RFC 9110). */
const REFUSALS = new Set([400, 409, 413, 422]);

export const isRefusal = (status: number | undefined): boolean =>
  status !== undefined && REFUSALS.has(status);

/** Attempts of a full batch before it is halved: the receiver may only be misconfigured. */
const UNCHANGED_TRIES = 3;

/**
 * @param limit current limit of events per batch; null: the setting
 * @param events number of events in the refused batch
 * @param tries attempts of the batch, including this one
 * @returns the new limit; undefined: the batch is repeated unchanged
 */
export function limitAfterRefusal(
  limit: number | null,
  events: number,
  tries: number,
): number | undefined {
  if (events <= 1 || (limit === null && tries < UNCHANGED_TRIES)) return undefined;
  return Math.floor(events / 2);
}

/** After a settled batch: twice the limit, and no limit after a full batch. */
export function limitAfterSettled(limit: number | null, full: number): number | null {
  return limit === null || limit >= full ? null : Math.min(limit * 2, full);
}
