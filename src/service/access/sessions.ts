/**
 * Sessions of browsers that have signed in with a token. The browser holds a random secret that says nothing of the token;
 * a session ends by sign-out, with its token, when it is idle, and at a fixed age (NIST SP 800-63B-4, section 2.2.3).
 */
import { randomBytes } from 'node:crypto';
import { bytesArray, type Queryable } from '../database/index.js';
import { hashOf } from './secret.js';
import { type Token } from './tokens.js';

/** Without a request, minutes. */
const IDLE_MINUTES = 30;
/** Seconds; whoever works longer signs in again. */
export const SESSION_SECONDS = 12 * 60 * 60;
/** How exactly the last request is kept, seconds: not every request writes. */
const SEEN_SECONDS = 60;

/** What the cookie of a request must agree with. */
export interface SessionOrigin {
  /** Host and port, as the browser knows them. */
  readonly authority: string;
  readonly secure: boolean;
}

/** A session that is valid, and the token that it was started with. */
export interface FoundSession {
  readonly token: Token;
  /** Names it without giving its secret away. */
  readonly hash: Buffer;
}

/** Of a row of `sessions s`, at the time $2. */
const IS_VALID = `
  s.seen_at > $2::timestamptz - interval '${IDLE_MINUTES} minutes'
  and s.created_at > $2::timestamptz - interval '${SESSION_SECONDS} seconds'`;

/** @param now ms @returns the session's secret */
export async function createSession(
  database: Queryable,
  tokenId: string,
  { authority, secure }: SessionOrigin,
  now: number,
): Promise<string> {
  const secret = randomBytes(32).toString('base64url');
  const at = new Date(now);
  // Whoever signs in clears away what has ended.
  await database.query(
    `with ended as (delete from sessions s where not (${IS_VALID}))
     insert into sessions (hash, token_id, authority, secure, created_at, seen_at)
     values ($3, $1, $4, $5, $2, $2)`,
    [tokenId, at, hashOf(secret), authority, secure],
  );
  return secret;
}

/** @param now ms */
export async function findSession(
  database: Queryable,
  secret: string,
  { authority, secure }: SessionOrigin,
  now: number,
): Promise<FoundSession | undefined> {
  const hash = hashOf(secret);
  const [found] = await database.query<Token & { readonly seen_at: Date }>(
    `select t.id, t.name, t.role, t.vin, t.created_at, t.revoked_at, s.seen_at
     from sessions s join tokens t on t.id = s.token_id
     where s.hash = $1 and s.authority = $3 and s.secure = $4 and t.revoked_at is null
       and ${IS_VALID}`,
    [hash, new Date(now), authority, secure],
  );
  if (!found) return undefined;
  const { seen_at, ...token } = found;
  if (now - seen_at.getTime() > SEEN_SECONDS * 1000) {
    await database.query('update sessions set seen_at = $2 where hash = $1', [hash, new Date(now)]);
  }
  return { token, hash };
}

/** @returns whose it was; undefined if there was none */
export async function endSession(
  database: Queryable,
  secret: string,
): Promise<{ readonly id: string; readonly name: string } | undefined> {
  const [owner] = await database.query<{ id: string; name: string }>(
    `delete from sessions s using tokens t where s.hash = $1 and t.id = s.token_id
     returning t.id, t.name`,
    [hashOf(secret)],
  );
  return owner;
}

/** Those of the given sessions that are still valid. @param now ms */
export async function validSessions(
  database: Queryable,
  hashes: readonly Buffer[],
  now: number,
): Promise<Buffer[]> {
  const rows = await database.query<{ hash: Uint8Array }>(
    `select s.hash from sessions s join tokens t on t.id = s.token_id
     where s.hash = any($1::bytea[]) and t.revoked_at is null and ${IS_VALID}`,
    [bytesArray(hashes), new Date(now)],
  );
  return rows.map(({ hash }) => Buffer.from(hash));
}
