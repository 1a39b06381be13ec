/** Records a request's action in the transaction that performs it. */
import { type Queryable } from '../database/index.js';
import { recordActions } from './audit.js';
import { type AuditedRequest, currentRequest, type RequestFacts } from './audited-request.js';

/** Details that the request itself does not contain. */
export interface RequestDetail {
  readonly detail?: object;
  readonly refId?: string | undefined;
  readonly vin?: string | undefined;
  readonly subject?: string | undefined;
  /** The actor, if there is no token yet: at a sign-in. */
  readonly by?: { readonly id: string; readonly name: string };
}

/**
 * Does nothing outside of an audited request, e.g. in a test that calls a route's functions.
 *
 * @param now ms
 */
export async function recordRequest(
  tx: Queryable,
  now: number,
  about: RequestDetail = {},
): Promise<void> {
  const request = currentRequest();
  if (request) await record(tx, now, request, about);
}

/** Records a request that has recorded nothing itself. */
export const recordAfterwards = (tx: Queryable, now: number, request: AuditedRequest) =>
  request.isRecorded ? Promise.resolve() : record(tx, now, request, {});

async function record(
  tx: Queryable,
  now: number,
  request: AuditedRequest,
  { detail = {}, refId, vin, subject, by }: RequestDetail,
): Promise<void> {
  const { action, address } = request;
  const entry = {
    by: by ? { ...by, reason: request.reason } : actorIn(request),
    detail,
    address,
    refId: refId ?? request.refId ?? undefined,
    vin: vin ?? request.vin,
    subject: subject ?? request.subject,
  };
  await recordActions(tx, action, [entry], now);
  request.recorded();
}

export const actorIn = ({ tokenId, tokenName, reason }: RequestFacts) => ({
  id: tokenId,
  name: tokenName,
  reason,
});
