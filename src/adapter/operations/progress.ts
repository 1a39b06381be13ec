/** Questions about operations: where does it stand, where does each vehicle stand. */
import { FAILED_SO_FAR, FINISHED, lifecycleRank, type TriggerRate } from '../../protocol/index.js';
import { type Queryable } from '../database/index.js';

export interface OperationSummary {
  readonly id: number;
  readonly ref_id: string;
  readonly model: string;
  readonly script_ref_id: string;
  readonly status: 'active' | 'paused' | 'cancelled';
  readonly scheduled_at: Date;
  readonly created_at: Date;
  readonly priority: number;
  readonly rate: TriggerRate | null;
  /** Seconds, -1 = never. */
  readonly ttl: number;
  readonly ack_required: boolean;
  readonly progress: Progress;
}

/** Counts of an operation's vehicles; every vehicle is in exactly one state. */
export interface Progress {
  readonly vehicles: number;
  readonly states: Readonly<Record<string, number>>;
  readonly paused: number;
  /** Come to an end, with or without success (contract section 5.5). */
  readonly finished: number;
  readonly succeeded: number;
  /** Ended without success, `cancel` and `consent_rejected` apart. */
  readonly failed: number;
  /** Something is still to come from these, or to be sent to them. */
  readonly open: number;
}

interface CounterRow {
  readonly state: string;
  readonly paused: boolean;
  readonly vehicles: number;
}

/** Ended without success, not by a person. */
export const FAILED: ReadonlySet<string> = new Set([
  ...FAILED_SO_FAR,
  'rollback_success',
  'rollback_fail',
]);

/** Their trigger will not be sent (again) by itself, and nothing is awaited of them. */
export const ENDED_UNSENT: ReadonlySet<string> = new Set(['expired', 'cancelled', 'undelivered']);

function progressOf(
  counters: readonly CounterRow[],
  { status, ack_required: ackRequired }: Pick<OperationSummary, 'status' | 'ack_required'>,
): Progress {
  const states: Record<string, number> = {};
  for (const { state, vehicles } of counters) states[state] = (states[state] ?? 0) + vehicles;
  const sum = (matching: (counter: CounterRow) => boolean) =>
    counters.filter(matching).reduce((total, { vehicles }) => total + vehicles, 0);
  return {
    vehicles: sum(() => true),
    states,
    paused: sum(({ paused }) => paused),
    finished: sum(({ state }) => FINISHED.has(state)),
    succeeded: sum(({ state }) => state === 'success'),
    failed: sum(({ state }) => FAILED.has(state)),
    open: sum(
      ({ state }) =>
        !FINISHED.has(state) &&
        !ENDED_UNSENT.has(state) &&
        // Without acknowledgement a trigger is done when it is published; a cancelled one as well.
        !(state === 'sent' && (!ackRequired || status === 'cancelled')),
    ),
  };
}

type OperationRow = Omit<OperationSummary, 'progress'> & { counters: CounterRow[] };

const OPERATIONS = /* sql */ `
  select o.id, o.ref_id, o.model, o.script_ref_id, o.status, o.scheduled_at, o.created_at,
    o.priority, o.rate, o.ttl, o.ack_required,
    coalesce((
      select json_agg(c) from (
        select state, paused, sum(vehicles)::bigint as vehicles from operation_counters
        where operation_id = o.id group by state, paused having sum(vehicles) <> 0
        order by state, paused
      ) c
    ), '[]') as counters
  from operations o`;

const withProgress = ({ counters, ...operation }: OperationRow): OperationSummary => ({
  ...operation,
  progress: progressOf(counters, operation),
});

export async function findOperation(
  database: Queryable,
  refId: string,
): Promise<OperationSummary | undefined> {
  const rows = await database.query<OperationRow>(`${OPERATIONS} where o.ref_id = $1`, [refId]);
  return rows.map(withProgress)[0];
}

/** A page of operations, newest first, older than the one with the given id. */
export async function listOperations(
  database: Queryable,
  page: { before: number; limit: number },
): Promise<OperationSummary[]> {
  const rows = await database.query<OperationRow>(
    `${OPERATIONS} where o.id < $1 order by o.id desc limit $2`,
    [page.before, page.limit],
  );
  return rows.map(withProgress);
}

export interface DeliveryRow {
  readonly vin: string;
  readonly state: string;
  readonly paused: boolean;
  readonly delivery: string;
  readonly attempt: number;
  readonly sends: number;
  /** Why, in the vehicle's words, where its newest event says so. */
  readonly reason: string | null;
  readonly trigger_id: string;
  readonly triggered_at: Date;
  readonly last_sent_at: Date | null;
  readonly acknowledged_at: Date | null;
  readonly event_at: Date | null;
  readonly updated_at: Date;
}

const DELIVERIES = /* sql */ `
  select vin, state, paused, delivery, attempt, sends, reason, trigger_id, triggered_at, last_sent_at,
    acknowledged_at, (greatest(reported, interruption)).at as event_at, updated_at
  from deliveries`;

/** Which vehicles of an operation are meant; what is undefined does not matter. */
export interface DeliveryFilter {
  /** `unknown` means every unknown(<number>). */
  readonly state?: string | undefined;
  readonly reason?: string | undefined;
  /** Beginning of the VIN. */
  readonly vinPrefix?: string | undefined;
}

/** A page of an operation's vehicles in VIN order. */
export function listDeliveries(
  database: Queryable,
  operationId: number,
  { state, reason, vinPrefix = '' }: DeliveryFilter,
  page: { after: string; limit: number },
): Promise<DeliveryRow[]> {
  return database.query<DeliveryRow>(
    `${DELIVERIES} where operation_id = $1 and vin > $2 and vin >= $3 and vin < $4
       and ($5::text is null or state = $5 or counter_of(state) = $5)
       and ($6::text is null or reason = $6)
     order by vin limit $7`,
    [
      operationId,
      page.after,
      vinPrefix,
      endOfPrefix(vinPrefix),
      state ?? null,
      reason ?? null,
      page.limit,
    ],
  );
}

/** A text that comes after all VINs with the prefix: no VIN has a `~`. */
const endOfPrefix = (prefix: string) => `${prefix}~`;

export type FoundDelivery = DeliveryRow & { readonly ref_id: string };

/** Where a page of {@link searchDeliveries} ended. */
export interface FoundPosition {
  readonly vin: string;
  readonly operationId: number;
}

/** Vehicles across all operations, by the beginning of their VIN; newest operation first for each. */
export function searchDeliveries(
  database: Queryable,
  vinPrefix: string,
  { after, limit }: { after: FoundPosition | undefined; limit: number },
): Promise<(FoundDelivery & { operation_id: number })[]> {
  return database.query(
    `select d.*, o.ref_id from (
       ${DELIVERIES.replace('select vin', 'select operation_id, vin')}
       where vin >= $1 and vin < $2
         and ($3::text is null or vin > $3 or vin = $3 and operation_id < $4)
       order by vin, operation_id desc limit $5
     ) d join operations o on o.id = d.operation_id
     order by d.vin, d.operation_id desc`,
    [vinPrefix, endOfPrefix(vinPrefix), after?.vin ?? null, after?.operationId ?? null, limit],
  );
}

export async function findDelivery(
  database: Queryable,
  operationId: number,
  vin: string,
): Promise<DeliveryRow | undefined> {
  const rows = await database.query<DeliveryRow>(
    `${DELIVERIES} where operation_id = $1 and vin = $2`,
    [operationId, vin],
  );
  return rows[0];
}

export interface HistoryRow {
  readonly message_id: string;
  readonly correlation_id: string;
  readonly attempt: number;
  /** null: an acknowledgement. */
  readonly status: number | null;
  readonly event_at: Date;
  readonly received_at: Date;
  readonly sub_system_id: string;
  readonly device_id: string;
  readonly device_type: string;
  readonly meta: { key: string; value: string }[];
  /** The envelope as it came, if it has fields that are not the contract's. */
  readonly envelope: string | null;
}

/** All that was received of a vehicle in an operation, oldest first in the contract's order (5.2). */
export async function history(
  database: Queryable,
  operationId: number,
  vin: string,
): Promise<HistoryRow[]> {
  const rows = await database.query<HistoryRow>(
    `select message_id, correlation_id, attempt, status, event_at, received_at,
       sub_system_id, device_id, device_type, meta, envelope
     from messages where operation_id = $1 and vin = $2
     order by attempt, event_at, message_id`,
    [operationId, vin],
  );
  // Already sorted, except that the lifecycle rank decides between equal times.
  return rows.sort(
    (a, b) =>
      a.attempt - b.attempt || a.event_at.getTime() - b.event_at.getTime() || rankOf(a) - rankOf(b),
  );
}

/** An acknowledgement comes before the events of the same time. */
const rankOf = ({ status }: HistoryRow) => (status === null ? -1 : lifecycleRank(status));
