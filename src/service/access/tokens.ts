/** Tokens of the HTTP interface. The token itself is told once and kept only as its SHA-256. */
import { createHash, randomBytes } from 'node:crypto';
import { newUuid } from '../../contract/index.js';
import { type Database, type Queryable } from '../database/index.js';

export interface Token {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly created_at: Date;
  readonly revoked_at: Date | null;
}

/** `otaops_` makes a token that leaked recognisable for scanners; then 256 random bits. */
function newSecret(): string {
  return `otaops_${randomBytes(32).toString('base64url')}`;
}

// A secret of 256 random bits cannot be guessed, so a fast hash protects it.
const hashOf = (secret: string) => createHash('sha256').update(secret).digest();

/** @returns the token's secret, which cannot be had again */
export async function createToken(
  database: Queryable,
  token: { name: string; role: string },
  now: number,
): Promise<{ id: string; secret: string }> {
  const secret = newSecret();
  const id = newUuid(now);
  await database.query(
    'insert into tokens (id, name, role, hash, created_at) values ($1, $2, $3, $4, $5)',
    [id, token.name, token.role, hashOf(secret), new Date(now)],
  );
  return { id, secret };
}

/** The token with this secret, unless it was revoked. */
export async function findToken(database: Queryable, secret: string): Promise<Token | undefined> {
  const rows = await database.query<Token>(
    `select id, name, role, created_at, revoked_at from tokens
     where hash = $1 and revoked_at is null`,
    [hashOf(secret)],
  );
  return rows[0];
}

/** Whether there is such a token, and it was not revoked. */
export async function isValidToken(database: Queryable, id: string): Promise<boolean> {
  const rows = await database.query('select from tokens where id = $1 and revoked_at is null', [
    id,
  ]);
  return rows.length > 0;
}

export function listTokens(database: Queryable): Promise<Token[]> {
  return database.query<Token>(
    'select id, name, role, created_at, revoked_at from tokens order by created_at',
  );
}

/** @returns whether there was such a token */
export async function revokeToken(database: Queryable, id: string, now: number): Promise<boolean> {
  const rows = await database.query(
    'update tokens set revoked_at = coalesce(revoked_at, $2) where id = $1 returning id',
    [id, new Date(now)],
  );
  return rows.length > 0;
}

/**
 * Makes the administrator's token of the first start; undefined if there are tokens already.
 *
 * @param keep writes it down durably; it is called before the commit, so that no crash leaves a token that
 *   nobody has. A crash in between leaves one that is not valid, and the next start makes another.
 */
export async function createFirstToken(
  database: Database,
  now: number,
  keep: (secret: string) => Promise<void>,
): Promise<string | undefined> {
  return database.transaction(async (tx) => {
    // Several processes may start at once: one of them finds no token, the others wait for it.
    await tx.query('select pg_advisory_xact_lock($1)', [FIRST_TOKEN_LOCK]);
    const [known] = await tx.query('select from tokens limit 1');
    if (known) return undefined;
    const { secret } = await createToken(tx, { name: 'first administrator', role: 'admin' }, now);
    await keep(secret);
    return secret;
  });
}

/** Any number that nobody else in this database uses for an advisory lock. */
const FIRST_TOKEN_LOCK = 0x07a0_0b6;
