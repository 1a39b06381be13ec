/** Sign-outs at the provider, kept for as long as a sign-in that was in progress at the time could still be completed. */
import { type Queryable } from '../database/index.js';
import { hashOf } from './secret.js';
import { type SignedOut } from './sessions.js';

/** Arbitrary number, not used for another advisory lock in this database. */
const LOCK = 0x07a0_0bb;

/**
 * Until the transaction ends, sign-outs and sign-ins at the provider wait for each other: a sign-out either finds the session to
 * end, or the sign-in finds the sign-out.
 */
export async function lockSignOuts(tx: Queryable): Promise<void> {
  await tx.query('select pg_advisory_xact_lock($1)', [LOCK]);
}

/** @param tx holds the lock @param now ms @param until ms */
export async function noteSignOut(
  tx: Queryable,
  { personId, providerSession }: SignedOut,
  now: number,
  until: number,
): Promise<void> {
  await tx.query('delete from provider_sign_outs where until < $1', [new Date(now)]);
  await tx.query(
    'insert into provider_sign_outs (person_hash, session_hash, at, until) values ($1, $2, $3, $4)',
    [hashed(personId), hashed(providerSession), new Date(now), new Date(until)],
  );
}

/**
 * Whether a statement of the provider about a person has been revoked. A session at the provider does not come back; the
 * person may have signed in again since.
 *
 * @param tx holds the lock
 * @param since when the sign-in started, ms
 * @param now ms
 */
export async function isSignedOut(
  tx: Queryable,
  { personId, providerSession }: SignedOut,
  since: number,
  now: number,
): Promise<boolean> {
  const rows = await tx.query(
    // As in `endPersonSessions`.
    `select 1 as found from provider_sign_outs
     where until > $4 and (
       (session_hash = $2 and (person_hash is null or person_hash = $1))
       or (person_hash = $1 and (session_hash is null or $2::bytea is null) and at >= $3))
     limit 1`,
    [hashed(personId), hashed(providerSession), new Date(since), new Date(now)],
  );
  return rows.length > 0;
}

const hashed = (name: string | undefined) => (name === undefined ? null : hashOf(name));
