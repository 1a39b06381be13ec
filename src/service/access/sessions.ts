/**
 * Sessions of browsers that have signed in, with a token or at an OpenID Connect provider. The browser holds a random
 * secret that reveals neither; a session ends with a sign-out, with its token, when idle, and at a fixed age (NIST SP
 * 800-63B-4, section 2.2.3).
 */
import { randomBytes } from 'node:crypto';
import { type Scopes } from '../../contract/index.js';
import { bytesArray, type Queryable, textArray } from '../database/index.js';
import { type Caller } from './caller.js';
import { hashOf } from './secret.js';
import { isValidToken } from './tokens.js';

/** Maximum time without a request, minutes. */
const IDLE_MINUTES = 30;
/** Seconds; after that, a person must sign in again. */
export const SESSION_SECONDS = 12 * 60 * 60;
/** Accuracy of the stored time of the last request, seconds: not every request writes. */
const SEEN_SECONDS = 60;

/** Values that the cookie of a request must match. */
export interface SessionOrigin {
  /** Host and port, as the browser knows them. */
  readonly authority: string;
  readonly secure: boolean;
}

/** Owner of the session. */
export type SessionOwner =
  | { readonly tokenId: string }
  | {
      readonly person: Omit<Caller, 'vin'>;
      /** The session at the provider that it comes from; undefined: the provider does not say. */
      readonly providerSession: string | undefined;
      /** When they proved to the provider who they are, ms. */
      readonly authenticatedAt: number;
    };

/** A session that is valid. */
export interface FoundSession {
  readonly caller: Caller;
  /** Identifies it without revealing its secret. */
  readonly hash: Buffer;
  /** When the person proved to the provider who they are, ms; undefined: it was started with a token. */
  readonly authenticatedAt: number | undefined;
}

/** Of a row of `sessions s left join tokens t`, at the time $2. */
const IS_VALID = `
  s.seen_at > $2::timestamptz - interval '${IDLE_MINUTES} minutes'
  and s.created_at > $2::timestamptz - interval '${SESSION_SECONDS} seconds'
  and (s.token_id is null or ${isValidToken('t', '$2')})`;

/** @param now ms @returns the session's secret */
export async function createSession(
  database: Queryable,
  owner: SessionOwner,
  { authority, secure }: SessionOrigin,
  now: number,
): Promise<string> {
  const secret = randomBytes(32).toString('base64url');
  const at = new Date(now);
  const person = 'person' in owner ? owner.person : undefined;
  // Each sign-in removes ended sessions.
  await database.query(
    `with ended as (
       delete from sessions where hash in (
         select s.hash from sessions s left join tokens t on t.id = s.token_id where not (${IS_VALID})
       )
     )
     insert into sessions (hash, token_id, authority, secure, created_at, seen_at,
                           person_id, person_name, person_role, authenticated_at, provider_session, person_scopes)
     values ($3, $1, $4, $5, $2, $2, $6, $7, $8, $9, $10, $11)`,
    [
      'tokenId' in owner ? owner.tokenId : null,
      at,
      hashOf(secret),
      authority,
      secure,
      person?.id ?? null,
      person?.name ?? null,
      person?.role ?? null,
      'authenticatedAt' in owner ? new Date(owner.authenticatedAt) : null,
      ('providerSession' in owner ? owner.providerSession : undefined) ?? null,
      person?.scopes ? textArray(person.scopes) : null,
    ],
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
  const [found] = await database.query<
    Caller & { readonly seen_at: Date; readonly authenticated_at: Date | null }
  >(
    `select coalesce(t.id, s.person_id) as id, coalesce(t.name, s.person_name) as name,
       coalesce(t.role, s.person_role) as role, t.vin,
       case when s.token_id is null then s.person_scopes else t.scopes end as scopes,
       s.seen_at, s.authenticated_at
     from sessions s left join tokens t on t.id = s.token_id
     where s.hash = $1 and s.authority = $3 and s.secure = $4 and ${IS_VALID}`,
    [hash, new Date(now), authority, secure],
  );
  if (!found) return undefined;
  const { seen_at, authenticated_at, ...caller } = found;
  if (now - seen_at.getTime() > SEEN_SECONDS * 1000) {
    await database.query('update sessions set seen_at = $2 where hash = $1', [hash, new Date(now)]);
  }
  return { caller, hash, authenticatedAt: authenticated_at?.getTime() };
}

/** Owner of a session. */
export type SessionHolder = Pick<Caller, 'id' | 'name'>;

/** @returns its owner; undefined: there was no such session */
export async function endSession(
  database: Queryable,
  secret: string,
): Promise<SessionHolder | undefined> {
  const [owner] = await database.query<SessionHolder>(
    `delete from sessions s where s.hash = $1
     returning coalesce(s.person_id, s.token_id) as id,
       coalesce(s.person_name, (select t.name from tokens t where t.id = s.token_id)) as name`,
    [hashOf(secret)],
  );
  return owner;
}

/** The sessions that a sign-out at the provider ends; it names the person, its session, or both. */
export interface SignedOut {
  /** As of {@link personId}. */
  readonly personId: string | undefined;
  readonly providerSession: string | undefined;
}

/**
 * Ends the sessions created from a session at the provider; if no such session is given, all of the person.
 *
 * @returns the persons, each once
 */
export const endPersonSessions = (
  tx: Queryable,
  { personId, providerSession }: SignedOut,
): Promise<SessionHolder[]> =>
  tx.query<SessionHolder>(
    // A session without a known session at the provider ends with any of the person.
    `delete from sessions where token_id is null and ($1::text is null or person_id = $1)
       and ($2::text is null or provider_session = $2 or $1::text is not null and provider_session is null)
     returning person_id as id, person_name as name`,
    [personId ?? null, providerSession ?? null],
  );

/**
 * Notes that a logout token was used.
 *
 * @param now ms
 * @param until when it is refused by its age, ms
 * @returns whether this is its first use
 */
export async function useLogoutToken(
  tx: Queryable,
  id: string,
  now: number,
  until: number,
): Promise<boolean> {
  await tx.query('delete from used_logout_tokens where until < $1', [new Date(now)]);
  const rows = await tx.query(
    'insert into used_logout_tokens (hash, until) values ($1, $2) on conflict do nothing returning 1 as used',
    [hashOf(id), new Date(until)],
  );
  return rows.length > 0;
}

/** The valid ones among the given sessions, with their scopes. @param now ms */
export async function validSessions(
  database: Queryable,
  hashes: readonly Buffer[],
  now: number,
): Promise<{ hash: Buffer; scopes: Scopes }[]> {
  const rows = await database.query<{ hash: Uint8Array; scopes: Scopes }>(
    `select s.hash, case when s.token_id is null then s.person_scopes else t.scopes end as scopes
     from sessions s left join tokens t on t.id = s.token_id
     where s.hash = any($1::bytea[]) and ${IS_VALID}`,
    [bytesArray(hashes), new Date(now)],
  );
  return rows.map(({ hash, scopes }) => ({ hash: Buffer.from(hash), scopes }));
}
