/**
 * Ends the transfers in progress (streams, exports, long polls and uploads) of a token that was revoked, a session that has
 * ended, or a caller whose scopes have changed. Each process checks its own requests in the database, so a revocation
 * reaches all of them.
 */
import { type ServerResponse } from 'node:http';
import { type Scopes } from '../../contract/index.js';
import { validSessions, validTokens } from '../access/index.js';
import { type Queryable } from '../database/index.js';

/** Between two checks, ms; most requests are answered sooner and never checked. */
const CHECK_MS = 500;

/** The authentication of a request. */
export type Access = (
  | { readonly tokenId: string }
  | {
      /** Hash of the browser's session, which is never valid longer than its token. */
      readonly session: Buffer;
    }
) & {
  /** The caller's scopes; a change ends the request. */
  readonly scopes: Scopes;
};

export class AccessWatch {
  readonly #database: Queryable;
  readonly #clock: () => number;
  readonly #inProgress = new Map<ServerResponse, Access>();
  readonly #timer: NodeJS.Timeout;
  #isStopped = false;
  /** Requests that were in progress at the last check already. */
  #long = new Set<ServerResponse>();

  /** @param clock the database's time, ms */
  constructor(database: Queryable, clock: () => number) {
    this.#database = database;
    this.#clock = clock;
    this.#timer = setTimeout(() => void this.#run(), CHECK_MS).unref();
  }

  /** Until the response is sent or aborted. */
  add(response: ServerResponse, access: Access): void {
    // The client may have disconnected while its token was looked up: then no close event will follow.
    if (response.destroyed) return;
    this.#inProgress.set(response, access);
    response.once('close', () => this.#inProgress.delete(response));
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#inProgress.clear();
  }

  async #run(): Promise<void> {
    const watched = [...this.#inProgress].filter(([response]) => this.#long.has(response));
    this.#long = new Set(this.#inProgress.keys());
    // While the database is unreachable nothing is revoked, and there is nothing to transfer either.
    if (watched.length > 0) await this.#endInvalid(watched).catch(() => undefined);
    if (!this.#isStopped) this.#timer.refresh();
  }

  async #endInvalid(watched: readonly (readonly [ServerResponse, Access])[]): Promise<void> {
    const accesses = watched.map(([, access]) => access);
    const sessions = accesses.flatMap((access) => ('session' in access ? [access.session] : []));
    const tokens = accesses.flatMap((access) => ('tokenId' in access ? [access.tokenId] : []));
    const now = this.#clock();
    const validIds = tokens.length > 0 ? await validTokens(this.#database, tokens, now) : [];
    const found = sessions.length > 0 ? await validSessions(this.#database, sessions, now) : [];
    const valid = new Set([
      ...validIds.map(({ id, scopes }) => keyOf(id, scopes)),
      ...found.map(({ hash, scopes }) => keyOf(hash.toString('hex'), scopes)),
    ]);
    for (const [response, access] of watched) {
      const id = 'session' in access ? access.session.toString('hex') : access.tokenId;
      if (!valid.has(keyOf(id, access.scopes))) response.destroy();
    }
  }
}

const keyOf = (id: string, scopes: Scopes) => JSON.stringify([id, scopes]);
