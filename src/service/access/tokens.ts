/** Tokens of the HTTP interface. A token is shown once and stored only as its SHA-256. */
import { randomBytes } from 'node:crypto';
import { newUuid } from '../../contract/index.js';
import { recordRequest } from '../audit/index.js';
import { Batches } from '../batches.js';
import { bytesArray, type Database, type Queryable, textArray } from '../database/index.js';
import { hashOf } from './secret.js';

export interface Token {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  /** Whose it is, if that is a vehicle. */
  readonly vin: string | null;
  readonly created_at: Date;
  readonly revoked_at: Date | null;
}

/** `otaops_` lets scanners recognise a leaked token; 256 random bits follow. */
function newSecret(): string {
  return `otaops_${randomBytes(32).toString('base64url')}`;
}

/** @returns the token's secret, which cannot be retrieved again */
export async function createToken(
  database: Queryable,
  token: { readonly name: string; readonly role: string; readonly vin?: string | undefined },
  now: number,
): Promise<{ id: string; secret: string }> {
  const secret = newSecret();
  const id = newUuid(now);
  await database.query(
    'insert into tokens (id, name, role, hash, created_at, vin) values ($1, $2, $3, $4, $5, $6)',
    [id, token.name, token.role, hashOf(secret), new Date(now), token.vin ?? null],
  );
  return { id, secret };
}

/** The token with this secret, unless it was revoked before this was called. */
export async function findToken(database: Queryable, secret: string): Promise<Token | undefined> {
  const known = lookUps.get(database);
  const lookUp = known ?? new Batches((hashes) => findTokens(database, hashes), MOST_AT_ONCE);
  if (!known) lookUps.set(database, lookUp);
  return lookUp.do(hashOf(secret).toString('hex'));
}

/** Of each database: requests that come at the same time look up their tokens together. */
const lookUps = new WeakMap<Queryable, Batches<string, Token | undefined>>();
const MOST_AT_ONCE = 500;

/** @param hashes hexadecimal @returns in their order */
async function findTokens(
  database: Queryable,
  hashes: readonly string[],
): Promise<readonly (Token | undefined)[]> {
  const distinct = [...new Set(hashes)];
  const rows = await database.query<Token & { readonly hash: string }>(
    `select id, name, role, vin, created_at, revoked_at, encode(hash, 'hex') as hash from tokens
     where hash = any($1::bytea[]) and revoked_at is null`,
    [bytesArray(distinct.map((hash) => Buffer.from(hash, 'hex')))],
    'find-tokens',
  );
  const byHash = new Map(rows.map(({ hash, ...token }) => [hash, token]));
  return hashes.map((hash) => byHash.get(hash));
}

/** Those of the given tokens that exist and are not revoked. */
export async function validTokens(database: Queryable, ids: readonly string[]): Promise<string[]> {
  const rows = await database.query<{ id: string }>(
    'select id from tokens where id = any($1::text[]) and revoked_at is null',
    [textArray(ids)],
  );
  return rows.map(({ id }) => id);
}

export function listTokens(database: Queryable): Promise<Token[]> {
  return database.query<Token>(
    'select id, name, role, vin, created_at, revoked_at from tokens order by created_at',
  );
}

/** The last valid token of role admin stays: without one, nobody could make another. */
export async function revokeToken(
  database: Database,
  id: string,
  now: number,
): Promise<'revoked' | 'unknown' | 'last administrator'> {
  return database.transaction(async (tx) => {
    // Two administrators may revoke each other at once: one waits for the other.
    await tx.query('select pg_advisory_xact_lock($1)', [TOKEN_LOCK]);
    const [token] = await tx.query<{ is_last: boolean }>(
      `select role = 'admin' and revoked_at is null and not exists (
         select from tokens o where o.role = 'admin' and o.revoked_at is null and o.id <> t.id
       ) as is_last from tokens t where id = $1`,
      [id],
    );
    if (!token) return 'unknown';
    if (token.is_last) return 'last administrator';
    await tx.query('update tokens set revoked_at = coalesce(revoked_at, $2) where id = $1', [
      id,
      new Date(now),
    ]);
    await recordRequest(tx, now);
    return 'revoked';
  });
}

/** The role of vehicles: each has tokens of its own (contract section 9). */
export const VEHICLE_ROLE = 'vehicle';

/** @returns why there can be no such token */
export function tokenFault(token: {
  readonly role: string;
  readonly vin?: string | undefined;
}): string | undefined {
  if ((token.role === VEHICLE_ROLE) === (token.vin !== undefined)) return undefined;
  return token.vin === undefined
    ? 'a token of role vehicle belongs to one vehicle: name its VIN'
    : `a token of role ${token.role} belongs to no vehicle`;
}

/**
 * Creates the initial admin token; undefined if there are tokens already.
 *
 * @param keep writes it to disk; called before the commit, so that no crash leaves a valid token that nobody has. A crash
 *   in between leaves an invalid token, and the next start creates another one.
 */
export async function createFirstToken(
  database: Database,
  now: number,
  keep: (secret: string) => Promise<void>,
): Promise<string | undefined> {
  return database.transaction(async (tx) => {
    // Several processes may start at once: one finds no token, the others wait for it.
    await tx.query('select pg_advisory_xact_lock($1)', [TOKEN_LOCK]);
    const [known] = await tx.query('select from tokens limit 1');
    if (known) return undefined;
    const { secret } = await createToken(tx, { name: 'initial admin', role: 'admin' }, now);
    await keep(secret);
    return secret;
  });
}

/** An arbitrary number, not used for another advisory lock in this database. */
const TOKEN_LOCK = 0x07a0_0b6;
