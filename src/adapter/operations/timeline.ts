/**
 * All that happened to one vehicle in an operation, in the order in which we saw it: what we sent,
 * what it answered and reported, what people did, and which receivers were told.
 */
import { eventDigest, lifecycleRank, statusName } from '../../contract/index.js';
import { type Queryable } from '../../service/database/index.js';

interface Common {
  /** When we saw or did it. */
  readonly at: Date;
  readonly attempt: number | null;
}

export type TimelineEntry = Common &
  (
    | {
        /** `triggered`: the CarOTA Server's trigger was accepted; the others as in the log. */
        readonly kind: 'delivery';
        readonly what: string;
      }
    | {
        readonly kind: 'ack' | 'event';
        /** By the vehicle's clock. */
        readonly vehicleAt: Date;
        readonly messageId: string;
        readonly statusName: string | null;
        readonly meta: readonly { key: string; value: string }[];
        readonly eventId: string | null;
        readonly callbacks: readonly CallbackOfEvent[];
      }
    | {
        readonly kind: 'control';
        readonly action: string;
        readonly by: string;
        readonly reason: string;
        readonly detail: object;
      }
  );

export interface CallbackOfEvent {
  /** Name of the receiver. */
  readonly receiver: string;
  /** When it was told; null: not yet. */
  readonly settledAt: Date | null;
  /** How often the batch was tried. */
  readonly tries: number;
}

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

/** More than any healthy vehicle has; its messages may be 256 KiB each. */
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
): Promise<TimelineEntry[]> {
  const of = [operationId, vin];
  const messages = (await database.query<MessageRow>(MESSAGES, of)).sort(asHappened);
  const log = await database.query<{ at: Date; attempt: number; what: string }>(
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
    `select a.at, a.action, a.token_name, a.reason, a.detail from audit_log a
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
    first ? [{ kind: 'delivery' as const, at: first, attempt: 1, what: 'triggered' }] : [],
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

/** By our time; messages of one millisecond as contract section 5.2 orders events, the acknowledgement first. */
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

/** By our time; entries of one millisecond by attempt, and causes before their effects. */
function merge(lists: readonly (readonly TimelineEntry[])[]): TimelineEntry[] {
  return lists
    .flat()
    .sort(
      (a, b) =>
        a.at.getTime() - b.at.getTime() ||
        (a.attempt ?? 0) - (b.attempt ?? 0) ||
        KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind),
    );
}

const KINDS: readonly TimelineEntry['kind'][] = ['control', 'delivery', 'ack', 'event'];

function messageEntry(row: MessageRow): TimelineEntry {
  const isEvent = row.status !== null;
  return {
    kind: isEvent ? 'event' : 'ack',
    at: row.received_at,
    vehicleAt: row.event_at,
    attempt: row.attempt,
    messageId: row.message_id,
    statusName: row.status === null ? null : statusName(row.status),
    meta: row.meta,
    eventId: isEvent ? `evt-${eventDigest(row.ref_id, row.system_id, row.message_id)}` : null,
    callbacks: (row.callbacks ?? []).map(({ receiver, settled_at, tries }) => ({
      receiver,
      settledAt: settled_at === null ? null : new Date(settled_at),
      tries: tries ?? 0,
    })),
  };
}

/** When the vehicle came into the operation: its first trigger's id, a UUID v7, has the time in it. */
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
