/** Receivers of the event call-back and their positions in the event stream. */
import { type NewReceiver, type ReceiverChange } from '../../contract/adapter-api/index.js';
import { type Given, newUuid } from '../../contract/index.js';
import { type Database, type Queryable } from '../../service/database/index.js';
import {
  resealed,
  resealEach,
  type Resealed,
  type SecretBox,
} from '../../service/secrets/index.js';
import { newSigningSecret } from '../../service/outgoing/index.js';

export interface ReceiverRow {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly enabled: boolean;
  readonly created_at: Date;
  /** Number of the last event that was settled. */
  readonly position: number;
  /** Events not delivered yet. */
  readonly behind: number;
  /** Receipt of the oldest of them; null: none. */
  readonly behind_since: Date | null;
  /** Failed attempts of its current batch, and the failure of the last one. */
  readonly failures: number;
  readonly failed_at: Date | null;
  readonly failure: string | null;
  /** When the batch is retried. */
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

/** @param idOrName of two matches, the id counts */
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

/** @returns undefined if the name is taken @throws NoSecretKey */
export async function addReceiver(
  database: Queryable,
  receiver: Given<NewReceiver>,
  now: number,
  box: SecretBox,
): Promise<{ id: string; secret: string } | undefined> {
  const id = newUuid(now);
  const secret = receiver.secret ?? newSigningSecret();
  const rows = await database.query(
    `insert into callbacks (id, name, url, secret, created_at, due_at, position)
     values ($1, $2, $3, $4, $5, $5, coalesce($6::bigint, (select position from event_stream)))
     on conflict (name) do nothing returning id`,
    [id, receiver.name, receiver.url, box.seal(secret, id), new Date(now), receiver.after ?? null],
  );
  return rows.length === 0 ? undefined : { id, secret };
}

/** @returns undefined if it cannot be decrypted, so that a new secret can replace it */
function opened(box: SecretBox, stored: string, id: string): string | undefined {
  try {
    return box.open(stored, id);
  } catch {
    return undefined;
  }
}

/** Seals all secrets with the first key, and forgets previous ones that sign no more. */
export async function resealReceivers(
  database: Database,
  box: SecretBox,
  now: number,
): Promise<Resealed> {
  return database.transaction(async (tx) => {
    await tx.query(
      'update callbacks set old_secret = null, old_until = null where old_until <= $1',
      [new Date(now)],
    );
    const rows = await tx.query<{
      id: string;
      name: string;
      secret: string;
      old_secret: string | null;
    }>('select id, name, secret, old_secret from callbacks order by id for update');
    return resealEach(rows, async ({ id, secret, old_secret: old }) => {
      // Separately: a previous secret that cannot be decrypted must not keep the current one from the new key.
      const again = resealed(box, secret, id);
      await tx.query('update callbacks set secret = $2 where id = $1', [id, again]);
      const oldAgain = old === null ? null : resealed(box, old, id);
      await tx.query('update callbacks set old_secret = $2 where id = $1', [id, oldAgain]);
      return again !== secret || oldAgain !== old;
    });
  });
}

/** How long the previous secret signs too, after a change. */
const OLD_SECRET_MS = 24 * 60 * 60 * 1000;

/** The changed receiver is tried immediately, without waiting for the end of a pause. @throws NoSecretKey for a new secret */
export async function changeReceiver(
  database: Queryable,
  id: string,
  { url, enabled, secret }: Given<ReceiverChange>,
  now: number,
  box: SecretBox,
): Promise<void> {
  const [before] = await database.query<{ secret: string }>(
    'select secret from callbacks where id = $1 for update',
    [id],
  );
  const present = before && opened(box, before.secret, id);
  // Setting the same secret again, as at each start, changes nothing.
  const isNew = secret !== undefined && present !== secret;
  const sealed = isNew ? box.seal(secret, id) : null;
  await database.query(
    `update callbacks set
       url = coalesce($2, url), enabled = coalesce($3, enabled),
       old_secret = case when $4::text is null then old_secret when $7 then secret end,
       old_until = case when $4::text is not null then $6 else old_until end,
       secret = coalesce($4, secret), due_at = $5
     where id = $1`,
    [
      id,
      url ?? null,
      enabled ?? null,
      sealed,
      new Date(now),
      new Date(now + OLD_SECRET_MS),
      present !== undefined,
    ],
  );
}

export async function removeReceiver(database: Queryable, id: string): Promise<void> {
  await database.query('delete from callback_log where callback_id = $1', [id]);
  await database.query('delete from callbacks where id = $1', [id]);
}

/** All events after the given one are delivered, including those delivered before. */
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
