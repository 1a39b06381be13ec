/**
 * A vehicle's timeline in an operation, in the order in which the adapter recorded it: triggers sent, acknowledgements and
 * events received, people's actions, and deliveries to receivers.
 */
import { type DELIVERY_STEPS, type TimelineEntry } from '../../contract/adapter-api/index.js';
import { eventDigest, lifecycleRank, statusName } from '../../contract/index.js';
import { type Served } from '../../service/http/index.js';
import { type Queryable } from '../../service/database/index.js';

/** As in the contract; its time is ours, when we saw or did it. */
type Entry = Served<TimelineEntry>;
type DeliveryStep = (typeof DELIVERY_STEPS)[number];

interface MessageRow {
  readonly ref_id: string;
  readonly received_at: Date;
  readonly event_at: Date;
  readonly attempt: number;
  readonly system_id: string;
  readonly message_id: string;
  readonly status: number | null;
  readonly meta: { key: string; value: string }[];
  readonly callbacks:
    { receiver: string; settled_at: string | null; tries: number | null }[] | null;
}

/** More entries than any healthy vehicle has. Each message may be 256 KiB, so bytes are limited too. */
const LIMIT = 5_000;
const MAX_BYTES = 8 * 1024 * 1024;

const MESSAGES = /* sql */ `
select o.ref_id, m.received_at, m.event_at, m.attempt, m.system_id, m.message_id, m.status, m.meta, (
    select json_agg(json_build_object(
      'receiver', c.name, 'settled_at', l.settled_at,
      'tries', coalesce(l.tries, case when c.position < p.position then c.failures end)
    ) order by c.name)
    from event_batches b
    cross join lateral (select b.position - b.events + m.nr as position) p
    cross join callbacks c
    left join lateral (
      select settled_at, tries from callback_log
      where callback_id = c.id and upto >= p.position and after < p.position
      order by upto, settled_at limit 1
    ) l on true
    where b.id = m.batch and (c.position < p.position or l.settled_at is not null)
  ) as callbacks
from (
  select *, sum(octet_length(meta::text)) over (order by received_at, message_id) as bytes_so_far
  from messages where operation_id = $1 and vin = $2
  order by received_at, message_id limit ${LIMIT}
) m
join operations o on o.id = $1
where bytes_so_far < ${MAX_BYTES}
order by m.received_at, m.message_id`;

export async function timeline(
  database: Queryable,
  operationId: number,
  vin: string,
): Promise<Entry[]> {
  const of = [operationId, vin];
  const messages = (await database.query<MessageRow>(MESSAGES, of)).sort(asHappened);
  const log = await database.query<{ at: Date; attempt: number; what: DeliveryStep }>(
    `select at, attempt, what from delivery_log where operation_id = $1 and vin = $2
     order by at limit ${LIMIT}`,
    of,
  );
  const actions = await database.query<{
    at: Date;
    action: string;
    token_name: string;
    reason: string;
    detail: object;
  }>(
    `select a.at, a.action, a.token_name, a.reason, a.detail from audit.entries a
     where a.operation_id = $1 and (
       a.vin = $2 or a.vin is null and a.action <> 'retrigger'
       or exists (
         select from delivery_log l
         where l.operation_id = $1 and l.vin = $2 and l.audit_id = a.id
       )
     )
     order by a.id limit ${LIMIT}`,
    of,
  );
  const first = await firstTrigger(database, operationId, vin);
  return merge([
    first ? [{ kind: 'delivery' as const, at: first, attempt: 1, what: 'triggered' as const }] : [],
    actions.map(({ at, action, token_name: by, reason, detail }) => ({
      kind: 'control' as const,
      at,
      attempt: null,
      action,
      by,
      reason,
      detail,
    })),
    log.map((entry) => ({ kind: 'delivery' as const, ...entry })),
    messages.map(messageEntry),
  ]);
}

type ReceivedMessage = Pick<MessageRow, 'received_at' | 'event_at' | 'message_id' | 'status'>;

/** By our time; within a millisecond the acknowledgement first, then events as ordered by contract section 5.2. */
export function asHappened(a: ReceivedMessage, b: ReceivedMessage): number {
  const rank = ({ status }: ReceivedMessage) => (status === null ? -1 : lifecycleRank(status));
  return (
    a.received_at.getTime() - b.received_at.getTime() ||
    Number(a.status !== null) - Number(b.status !== null) ||
    a.event_at.getTime() - b.event_at.getTime() ||
    rank(a) - rank(b) ||
    Buffer.compare(Buffer.from(a.message_id), Buffer.from(b.message_id))
  );
}

/** By our time; within a millisecond by attempt, and causes before their effects. */
function merge(lists: readonly (readonly (Entry & { readonly at: Date })[])[]): Entry[] {
  return lists
    .flat()
    .sort(
      (a, b) =>
        a.at.getTime() - b.at.getTime() ||
        (a.attempt ?? 0) - (b.attempt ?? 0) ||
        KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind),
    );
}

const KINDS: readonly Entry['kind'][] = ['control', 'delivery', 'ack', 'event'];

function messageEntry(row: MessageRow): Entry & { readonly at: Date } {
  const seen = {
    at: row.received_at,
    vehicleAt: row.event_at,
    attempt: row.attempt,
    message_id: row.message_id,
    meta: row.meta,
  };
  if (row.status === null) return { kind: 'ack', ...seen };
  return {
    kind: 'event',
    ...seen,
    'event-id': `evt-${eventDigest(row.ref_id, row.system_id, row.message_id)}`,
    'status-name': statusName(row.status),
    callbacks: (row.callbacks ?? []).map(({ receiver, settled_at, tries }) => ({
      receiver,
      deliveredAt: settled_at === null ? null : new Date(settled_at),
      tries: tries ?? 0,
    })),
  };
}

/** When the vehicle was added to the operation: the time in its first trigger's id, a UUID v7. */
async function firstTrigger(
  database: Queryable,
  operationId: number,
  vin: string,
): Promise<Date | undefined> {
  const [row] = await database.query<{ id: string }>(
    `select coalesce(earlier_trigger_ids[1], trigger_id) as id from deliveries
     where operation_id = $1 and vin = $2`,
    [operationId, vin],
  );
  return row && new Date(Number.parseInt(row.id.replaceAll('-', '').slice(0, 12), 16));
}
