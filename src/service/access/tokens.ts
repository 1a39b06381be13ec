/** Tokens of the HTTP interface. A token is shown once and stored only as its SHA-256. */
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

/** `otaops_` lets scanners recognise a leaked token; 256 random bits follow. */
function newSecret(): string {
  return `otaops_${randomBytes(32).toString('base64url')}`;
}

// A secret of 256 random bits cannot be guessed, so a fast hash protects it.
const hashOf = (secret: string) => createHash('sha256').update(secret).digest();

/** @returns the token's secret, which cannot be retrieved again */
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

/** Whether the token exists and is not revoked. */
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

/** @returns whether the token existed */
export async function revokeToken(database: Queryable, id: string, now: number): Promise<boolean> {
  const rows = await database.query(
    'update tokens set revoked_at = coalesce(revoked_at, $2) where id = $1 returning id',
    [id, new Date(now)],
  );
  return rows.length > 0;
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
    await tx.query('select pg_advisory_xact_lock($1)', [FIRST_TOKEN_LOCK]);
    const [known] = await tx.query('select from tokens limit 1');
    if (known) return undefined;
    const { secret } = await createToken(tx, { name: 'initial admin', role: 'admin' }, now);
    await keep(secret);
    return secret;
  });
}

/** An arbitrary number, not used for another advisory lock in this database. */
const FIRST_TOKEN_LOCK = 0x07a0_0b6;
