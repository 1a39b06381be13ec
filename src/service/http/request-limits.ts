/** Enforces a server's limits: connections, slow requests, and the number of expensive requests per token. */
import { type Server as NetServer, type Socket } from 'node:net';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Load, type Route } from '../../contract/index.js';
import { ConnectionCount, type HttpLimit, type HttpLimits, Loads } from '../limits/index.js';
import { Problem } from './problem.js';
import { whenClosed } from './when-closed.js';

declare module 'fastify' {
  interface FastifyInstance {
    /** The limits on requests of this server. */
    readonly requestLimits: RequestLimits;
  }
}

/** When a refused caller may retry, seconds. */
const RETRY_SECONDS = 1;

const LIMIT_OF: Readonly<Record<Load, HttpLimit>> = {
  stream: 'streams',
  export: 'exports',
  search: 'searches',
  upload: 'uploads',
  dossier: 'dossiers',
};

export class RequestLimits {
  readonly bodySeconds: number;
  /** Counts a refusal. */
  readonly refused: (limit: HttpLimit) => void;
  readonly #loads: Loads;

  constructor(limits: HttpLimits, refused: (limit: HttpLimit) => void) {
    this.bodySeconds = limits.bodySeconds;
    this.refused = refused;
    this.#loads = new Loads(limits.loads);
  }

  /**
   * Does the work of a request of this load, if its limit allows. A client that disconnects does not end the work: the
   * request counts until both its work and its connection have ended.
   *
   * @throws Problem 429
   */
  async within<T>(load: Load, reply: FastifyReply, work: () => Promise<T>): Promise<T> {
    const end = this.#begin(load, reply);
    const working = work();
    void Promise.allSettled([working, whenClosed(reply.raw)]).then(end);
    return working;
  }

  /** The same for a part of a request's work: it no longer counts while its answer is fetched. @throws Problem 429 */
  async during<T>(load: Load, reply: FastifyReply, work: () => Promise<T>): Promise<T> {
    const end = this.#begin(load, reply);
    return work().finally(end);
  }

  #begin(load: Load, reply: FastifyReply): () => void {
    const end = this.#loads.begin(load, reply.request.caller?.id ?? '');
    if (end) return end;
    this.refused(LIMIT_OF[load]);
    const message = `too many requests of the kind ${load} are in progress`;
    throw new Problem('TOO_MANY_REQUESTS', message, { retryAfterSeconds: RETRY_SECONDS });
  }
}

/** The kind of load of a request to this route; undefined: none. */
export function loadOf({ load, loadWith }: Route, { query }: FastifyRequest): Load | undefined {
  if (load === undefined || loadWith === undefined) return load;
  return (query as Readonly<Record<string, unknown>>)[loadWith] === undefined ? undefined : load;
}

/** Refuses connections beyond the limits, without an answer, because no request has arrived yet. */
export function limitConnections(
  { server }: { readonly server: NetServer },
  { connections, trustedProxies }: HttpLimits,
  refused: (limit: HttpLimit) => void,
): void {
  const count = new ConnectionCount(connections, trustedProxies);
  // Before Node's own listener, so that nothing is read from a refused connection.
  server.prependListener('connection', (socket: Socket) => {
    const exceeded = count.add(socket);
    if (exceeded === undefined) return;
    refused(exceeded === 'inAll' ? 'http-connections' : 'http-connections-per-address');
    socket.destroy();
  });
}
