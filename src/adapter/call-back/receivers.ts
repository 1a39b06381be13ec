/** Receivers of the event call-back: who they are, and how far each has come in the event stream. */
import { newUuid } from '../../contract/index.js';
import { type Queryable } from '../../service/database/index.js';
import { newSigningSecret } from './signature.js';

export interface ReceiverRow {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly enabled: boolean;
  readonly created_at: Date;
  /** Number of the last event that was settled. */
  readonly position: number;
  /** Events that it has not got yet. */
  readonly behind: number;
  /** Receipt of the oldest of them; null: it has all. */
  readonly behind_since: Date | null;
  /** Tries of its present batch that failed, and what was wrong with the last one. */
  readonly failures: number;
  readonly failed_at: Date | null;
  readonly failure: string | null;
  /** When the batch is tried again. */
  readonly due_at: Date;
  readonly settled_at: Date | null;
}

const RECEIVERS = /* sql */ `
select c.id, c.name, c.url, c.enabled, c.created_at, c.position, c.failures, c.failed_at, c.failure,
  c.due_at, c.settled_at, greatest(s.position - c.position, 0) as behind, (
    select first_at from event_batches b where b.position > c.position order by b.position limit 1
  ) as behind_since
from callbacks c cross join event_stream s`;

export function listReceivers(database: Queryable): Promise<ReceiverRow[]> {
  return database.query<ReceiverRow>(`${RECEIVERS} order by c.name`);
}

/** By id or name. */
export async function findReceiver(
  database: Queryable,
  idOrName: string,
): Promise<ReceiverRow | undefined> {
  const rows = await database.query<ReceiverRow>(
    `${RECEIVERS} where c.id = $1 or c.name = $1 order by c.id = $1 desc`,
    [idOrName],
  );
  return rows[0];
}

export interface NewReceiver {
  readonly name: string;
  readonly url: string;
  /** `whsec_…`; undefined: a new one is made. */
  readonly secret?: string | undefined;
  /** Number of the last event that it is not told; undefined: it is told what comes from now on. */
  readonly after?: number | undefined;
}

/** @returns undefined where the name is taken */
export async function addReceiver(
  database: Queryable,
  receiver: NewReceiver,
  now: number,
): Promise<{ id: string; secret: string } | undefined> {
  const id = newUuid(now);
  const secret = receiver.secret ?? newSigningSecret();
  const rows = await database.query(
    `insert into callbacks (id, name, url, secret, created_at, due_at, position)
     values ($1, $2, $3, $4, $5, $5, coalesce($6::bigint, (select position from event_stream)))
     on conflict (name) do nothing returning id`,
    [id, receiver.name, receiver.url, secret, new Date(now), receiver.after ?? null],
  );
  return rows.length === 0 ? undefined : { id, secret };
}

/** For how long a secret that was changed signs as well. */
const OLD_SECRET_MS = 24 * 60 * 60 * 1000;

export interface ReceiverChange {
  readonly url?: string | undefined;
  readonly enabled?: boolean | undefined;
  readonly secret?: string | undefined;
}

/** A new URL or secret is tried at once, whatever pause the failures before have led to. */
export async function changeReceiver(
  database: Queryable,
  id: string,
  { url, enabled, secret }: ReceiverChange,
  now: number,
): Promise<void> {
  await database.query(
    `update callbacks set
       url = coalesce($2, url), enabled = coalesce($3, enabled),
       old_secret = case when $4::text is not null and $4 <> secret then secret else old_secret end,
       old_until = case when $4::text is not null and $4 <> secret then $6 else old_until end,
       secret = coalesce($4, secret), due_at = $5
     where id = $1`,
    [
      id,
      url ?? null,
      enabled ?? null,
      secret ?? null,
      new Date(now),
      new Date(now + OLD_SECRET_MS),
    ],
  );
}

export async function removeReceiver(database: Queryable, id: string): Promise<void> {
  await database.query('delete from callback_log where callback_id = $1', [id]);
  await database.query('delete from callbacks where id = $1', [id]);
}

/** It is told everything after the given event, once more where it was told before. */
export async function moveReceiver(
  database: Queryable,
  id: string,
  after: number,
  now: number,
): Promise<void> {
  await database.query(
    `update callbacks set position = $2, moves = moves + 1, batch_to = null, batch_limit = null, failures = 0, failure = null,
       failed_at = null, due_at = $3 where id = $1`,
    [id, after, new Date(now)],
  );
}
