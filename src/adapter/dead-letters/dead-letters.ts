/** What reached us and could not be applied (contract section 5.6): listed, and replayed. */
import { type Queryable } from '../database/index.js';

export interface DeadLetter {
  readonly id: string;
  readonly received_at: Date;
  readonly topic: string;
  readonly system_id: string | null;
  readonly vin: string | null;
  readonly message_id: string | null;
  readonly status: 'INVALID' | 'EXPIRED' | 'DEVICE_NOT_FOUND';
  readonly reason: string;
  readonly path: string;
  readonly detail: string;
  readonly payload: Uint8Array;
  readonly payload_bytes: number;
  readonly replayed_at: Date | null;
}

const COLUMNS = `id, received_at, topic, system_id, vin, message_id, status, reason, path, detail,
  payload, payload_bytes, replayed_at`;

/** Where a page ended: the time and id of its last dead letter. */
export interface DeadLetterPosition {
  readonly receivedAt: number;
  readonly id: string;
}

/** A page of dead letters, newest first. */
export function listDeadLetters(
  database: Queryable,
  page: {
    before: DeadLetterPosition | undefined;
    limit: number;
    reason: string | undefined;
    vin: string | undefined;
  },
): Promise<DeadLetter[]> {
  const { before, limit, reason, vin } = page;
  return database.query<DeadLetter>(
    `select ${COLUMNS} from dead_letters
     where ($1::timestamptz is null or (received_at, id) < ($1::timestamptz, $2::uuid))
       and ($4::text is null or reason = $4) and ($5::text is null or vin = $5)
     order by received_at desc, id desc limit $3`,
    [
      before ? new Date(before.receivedAt) : null,
      before?.id ?? null,
      limit,
      reason ?? null,
      vin ?? null,
    ],
  );
}

export async function findDeadLetter(
  database: Queryable,
  id: string,
): Promise<DeadLetter | undefined> {
  const rows = await database.query<DeadLetter>(
    `select ${COLUMNS} from dead_letters where id = $1`,
    [id],
  );
  return rows[0];
}

export async function markReplayed(database: Queryable, id: string, now: number): Promise<void> {
  await database.query('update dead_letters set replayed_at = $2 where id = $1', [
    id,
    new Date(now),
  ]);
}
