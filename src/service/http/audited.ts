/** Requests in the audit log: actions and refusals. */
import { type FastifyReply, type FastifyRequest } from 'fastify';
import {
  AuditedRequest,
  type AttemptLog,
  recordAfterwards,
  type RequestFacts,
  whileServing,
} from '../audit/index.js';
import { type Queryable } from '../database/index.js';
import { clientAddress } from '../limits/index.js';
import { type Problem } from './problem.js';
import { whenClosed } from './when-closed.js';

/** Where a server records. */
export interface AuditTrail {
  readonly attempts: AttemptLog;
  readonly database: Queryable;
  /** The database's time, ms. */
  readonly clock: () => number;
}

declare module 'fastify' {
  interface FastifyInstance {
    auditTrail: AuditTrail;
  }
}

/**
 * The work of an audited route. Handlers record their action in the transaction of the change, with its result; for a
 * request without an entry, one is recorded here.
 */
export function audited<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  work: () => Promise<T>,
): () => Promise<T> {
  const { isAudited = false } = request.routeOptions.config;
  if (!isAudited) return work;
  return async () => {
    const { database, clock } = request.server.auditTrail;
    const entry = new AuditedRequest(factsOf(request));
    // A download continues after its handler has returned.
    const result = await whileServing(entry, work, whenClosed(reply.raw));
    await recordAfterwards(database, clock(), entry).catch((error: unknown) => {
      // A download in progress can be aborted, but no longer answered with an error.
      if (!reply.sent) throw error;
      reply.raw.destroy(error as Error);
    });
    return result;
  };
}

/** Refusals for these reasons are not due to the form of the request. */
const NOTED_STATUS = new Set([403, 409, 429]);

/** Notes that a request was refused, or failed although it should not have. */
export function noteRefusal(request: FastifyRequest, { status, code }: Problem): void {
  const { isAudited = false, permission } = request.routeOptions.config;
  const isForbidden = status === 403 && (permission !== undefined || isAudited);
  const isNoted = isForbidden || (isAudited && (NOTED_STATUS.has(status) || status >= 500));
  // Wrong secrets are counted where they are checked.
  if (!isNoted && code !== 'TOO_MANY_ATTEMPTS') return;
  request.server.auditTrail.attempts.note({
    ...factsOf(request),
    ...(code === 'TOO_MANY_ATTEMPTS' ? { action: 'sign-in' } : {}),
    outcome: status >= 500 ? 'failed' : 'refused',
    errorCode: code,
  });
}

/** Parameters with separate columns. */
const NAMED = new Set(['vin', 'ref-id', 'ref_id']);

/** Also of a request that was not validated. */
function factsOf(request: FastifyRequest): RequestFacts {
  const { caller, body, routeOptions } = request;
  const params = (request.params ?? {}) as Readonly<Record<string, unknown>>;
  // The contract's names once validated, the router's before.
  const { vin, 'ref-id': refId = params.ref_id } = params;
  const subject = Object.entries(params)
    .filter(([name, value]) => !NAMED.has(name) && typeof value === 'string')
    .map(([, value]) => value);
  const reason = (body as { reason?: unknown } | null | undefined)?.reason;
  return {
    action: routeOptions.config.action ?? 'unknown',
    tokenId: caller?.id ?? '',
    tokenName: caller?.name ?? '',
    address: clientAddress(request.ip),
    refId: typeof refId === 'string' ? refId : null,
    vin: typeof vin === 'string' ? vin.toUpperCase() : null,
    subject: subject.join(' '),
    reason: typeof reason === 'string' ? reason : '',
  };
}
