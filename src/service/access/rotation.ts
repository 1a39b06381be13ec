/** A successor for a token: it has the same rights, and the old token stays valid for an overlap. */
import { recordRequest } from '../audit/index.js';
import { type Database } from '../database/index.js';
import { createToken, expiryOf, type Token, TOKEN_COLUMNS } from './tokens.js';

export interface Rotation {
  /** How long the old token stays valid, seconds; 0: it ends at once. */
  readonly overlap: number;
  /** Lifetime of the successor, seconds; undefined: that of the old token, counted from now. */
  readonly lifetime: number | undefined;
}

export interface Rotated {
  readonly id: string;
  /** Shown once. */
  readonly secret: string;
  readonly expiresAt: Date | null;
  /** When the old token expires. */
  readonly endsAt: Date;
}

/**
 * @param now ms
 * @returns `ended`: the token has been revoked, has expired, or has a successor
 */
export async function rotateToken(
  database: Database,
  id: string,
  { overlap, lifetime }: Rotation,
  now: number,
): Promise<Rotated | 'unknown' | 'ended'> {
  return database.transaction(async (tx) => {
    // A concurrent rotation of the same token waits, and finds that it has a successor.
    const [old] = await tx.query<Token>(
      `select ${TOKEN_COLUMNS} from tokens where id = $1 for update`,
      [id],
    );
    if (!old) return 'unknown';
    const hasExpired = old.expires_at !== null && old.expires_at.getTime() <= now;
    if (old.revoked_at !== null || hasExpired || old.replaced_by !== null) return 'ended';
    const { name, role, vin, scopes } = old;
    const seconds = lifetime ?? lifetimeOf(old);
    const made = await createToken(
      tx,
      { name, role, vin: vin ?? undefined, scopes, lifetime: seconds },
      now,
    );
    const overlapEnd = now + overlap * 1000;
    const endsAt = new Date(Math.min(overlapEnd, old.expires_at?.getTime() ?? overlapEnd));
    await tx.query('update tokens set expires_at = $2, replaced_by = $3 where id = $1', [
      id,
      endsAt,
      made.id,
    ]);
    await recordRequest(tx, now, {
      subject: id,
      detail: { name, role, successor: made.id, endsAt: endsAt.toISOString() },
    });
    return { ...made, expiresAt: expiryOf(seconds, now), endsAt };
  });
}

/** Seconds; undefined: it has no end. */
const lifetimeOf = ({ created_at, expires_at }: Token): number | undefined =>
  expires_at === null ? undefined : Math.ceil((expires_at.getTime() - created_at.getTime()) / 1000);
