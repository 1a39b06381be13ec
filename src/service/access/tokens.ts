/** Tokens of the HTTP interface. A token is shown once and stored only as its SHA-256. */
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { type Given, type NewToken, newUuid, type Scopes } from '../../contract/index.js';
import { recordRequest } from '../audit/index.js';
import { Batches } from '../batches.js';
import { bytesArray, type Database, type Queryable, textArray } from '../database/index.js';
import { type Caller } from './caller.js';
import { hashOf } from './secret.js';

export interface Token extends Caller {
  readonly created_at: Date;
  readonly revoked_at: Date | null;
  /** null: never. */
  readonly expires_at: Date | null;
  /** To a minute; null: never. */
  readonly last_used_at: Date | null;
  /** Id of its successor. */
  readonly replaced_by: string | null;
}

/** Properties of a new token; the successor of another one takes over its limits. */
export interface WantedToken extends Given<Omit<NewToken, 'scopes'>> {
  readonly scopes?: Scopes | undefined;
}

/** Of {@link Token}. */
export const TOKEN_COLUMNS =
  'id, name, role, vin, scopes, created_at, revoked_at, expires_at, last_used_at, replaced_by';

/** Condition on a row of `tokens`. @param at parameter with the time, e.g. `$2` */
export const isValidToken = (table: string, at: string): string =>
  `${table}.revoked_at is null and coalesce(${table}.expires_at > ${at}::timestamptz, true)`;

/** `otaops_` lets scanners recognise a leaked token; 256 random bits follow. */
function newSecret(): string {
  return `otaops_${randomBytes(32).toString('base64url')}`;
}

/** @returns the token's secret, which cannot be retrieved again */
export async function createToken(
  database: Queryable,
  token: WantedToken,
  now: number,
): Promise<{ id: string; secret: string }> {
  const secret = newSecret();
  const id = newUuid(now);
  await database.query(
    `insert into tokens (id, name, role, hash, created_at, vin, expires_at, scopes)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      id,
      token.name,
      token.role,
      hashOf(secret),
      new Date(now),
      token.vin ?? null,
      expiryOf(token.lifetime, now),
      token.scopes ? textArray(token.scopes) : null,
    ],
  );
  return { id, secret };
}

/** @param lifetime seconds; undefined: no expiry @param now ms */
export const expiryOf = (lifetime: number | undefined, now: number): Date | null =>
  lifetime === undefined ? null : new Date(now + lifetime * 1000);

/** The token with this secret, if it is valid. @param now ms */
export async function findToken(
  database: Queryable,
  secret: string,
  now: number,
): Promise<Token | undefined> {
  const existing = lookUps.get(database);
  const lookUp = existing ?? new Batches((hashes) => findTokens(database, hashes), LOOK_UPS);
  if (!existing) lookUps.set(database, lookUp);
  const token = await lookUp.do(hashOf(secret).toString('hex'));
  if (!token || (token.expires_at && token.expires_at.getTime() <= now)) return undefined;
  noteUse(database, token, now);
  return token;
}

/** Per database: concurrent requests look up their tokens together. */
const lookUps = new WeakMap<Queryable, Batches<string, Token | undefined>>();
const MOST_AT_ONCE = 500;
/** A server under load then looks up several tokens with each statement. */
const LOOK_UPS = { most: MOST_AT_ONCE, pause: () => setTimeout(2) };

/** @param hashes hexadecimal @returns in their order */
async function findTokens(
  database: Queryable,
  hashes: readonly string[],
): Promise<readonly (Token | undefined)[]> {
  const distinct = [...new Set(hashes)];
  const rows = await database.query<Token & { readonly hash: string }>(
    `select ${TOKEN_COLUMNS}, encode(hash, 'hex') as hash from tokens
     where hash = any($1::bytea[]) and revoked_at is null`,
    [bytesArray(distinct.map((hash) => Buffer.from(hash, 'hex')))],
    'find-tokens',
  );
  const byHash = new Map(rows.map(({ hash, ...token }) => [hash, token]));
  return hashes.map((hash) => byHash.get(hash));
}

/** Between two records of a token’s last use, seconds: not every request writes. */
const USE_SECONDS = 60;

interface Use {
  readonly id: string;
  /** ms */
  readonly at: number;
}

/** Per database: concurrent uses are recorded in one statement. */
const uses = new WeakMap<Queryable, Batches<Use, undefined>>();

/** Runs in the background; a failure costs a minute of accuracy. @param now ms */
function noteUse(database: Queryable, { id, last_used_at }: Token, now: number): void {
  if (last_used_at && now - last_used_at.getTime() < USE_SECONDS * 1000) return;
  const existing = uses.get(database);
  const recording =
    existing ?? new Batches((used) => recordUses(database, used), { most: MOST_AT_ONCE });
  if (!existing) uses.set(database, recording);
  void recording.do({ id, at: now }).catch(() => undefined);
}

/** At most once a minute for each token, by all processes together. */
async function recordUses(database: Queryable, used: readonly Use[]): Promise<undefined[]> {
  const at = new Date(Math.max(...used.map((use) => use.at)));
  await database.query(
    `update tokens set last_used_at = $2 where id = any($1::text[])
     and (last_used_at is null or last_used_at <= $2::timestamptz - interval '${USE_SECONDS} seconds')`,
    [textArray([...new Set(used.map(({ id }) => id))]), at],
    'record-token-uses',
  );
  return used.map(() => undefined);
}

/** The valid ones among the given tokens, with their scopes. @param now ms */
export async function validTokens(
  database: Queryable,
  ids: readonly string[],
  now: number,
): Promise<{ id: string; scopes: Scopes }[]> {
  return database.query(
    `select t.id, t.scopes from tokens t where t.id = any($1::text[]) and ${isValidToken('t', '$2')}`,
    [textArray(ids), new Date(now)],
  );
}

export function listTokens(database: Queryable): Promise<Token[]> {
  return database.query<Token>(`select ${TOKEN_COLUMNS} from tokens order by created_at`);
}

/**
 * Protects the last valid token of role admin: without one, no further token could be created. A token that has a successor,
 * expires within an hour, or is limited to vehicle models does not count as another one: the last kind cannot create tokens.
 */
export async function revokeToken(
  database: Database,
  id: string,
  now: number,
): Promise<'revoked' | 'unknown' | 'last administrator'> {
  return database.transaction(async (tx) => {
    // Two administrators may revoke each other at once: one waits for the other.
    await tx.query('select pg_advisory_xact_lock($1)', [TOKEN_LOCK]);
    const [token] = await tx.query<{ is_last: boolean }>(
      `select role = 'admin' and scopes is null and ${isValidToken('t', '$2')} and not exists (
         select from tokens o where o.role = 'admin' and o.scopes is null and o.id <> t.id and ${isValidToken('o', '$3')}
           and o.replaced_by is null
       ) as is_last from tokens t where id = $1`,
      [id, new Date(now), new Date(now + LASTING_MS)],
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

/** Time that an administrator needs to create another token, ms. */
const LASTING_MS = 60 * 60 * 1000;

/** The role of vehicles, each of which has its own tokens (contract section 9). */
export const VEHICLE_ROLE = 'vehicle';

/** @returns the field that rules out such a token, and why */
export function tokenFault({
  role,
  vin,
  scopes,
}: Pick<WantedToken, 'role' | 'vin' | 'scopes'>): { path: string; message: string } | undefined {
  if (role !== VEHICLE_ROLE) {
    const message = `a token of role ${role} belongs to no vehicle`;
    return vin === undefined ? undefined : { path: '/vin', message };
  }
  if (vin === undefined) {
    const message = 'a token of role vehicle belongs to one vehicle: name its VIN';
    return { path: '/vin', message };
  }
  if (!scopes) return undefined;
  return { path: '/scopes', message: 'a token of role vehicle is limited to its VIN already' };
}

/**
 * Creates the initial admin token; undefined if tokens already exist.
 *
 * @param keep writes it to disk; called before the commit, so that a crash never leaves a valid token that was not written.
 * A crash in between leaves an invalid token, and the next start creates another one.
 */
export async function createFirstToken(
  database: Database,
  now: number,
  keep: (secret: string) => Promise<void>,
): Promise<string | undefined> {
  return database.transaction(async (tx) => {
    // Several processes may start at once: one finds no token, the others wait for it.
    await tx.query('select pg_advisory_xact_lock($1)', [TOKEN_LOCK]);
    const [existing] = await tx.query('select from tokens limit 1');
    if (existing) return undefined;
    const { secret } = await createToken(tx, { name: 'initial admin', role: 'admin' }, now);
    await keep(secret);
    return secret;
  });
}

/** An arbitrary number, not used for another advisory lock in this database. */
const TOKEN_LOCK = 0x07a0_0b6;
