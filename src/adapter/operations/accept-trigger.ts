/**
 * Accepts a CarOTA Server Event: one record per vehicle, durable before the answer (contract section 4). Idempotent: a
 * repeated event adds only missing vehicles, so that a caller can repeat it after a broken connection.
 */
import { type TriggerResult } from '../../contract/adapter-api/index.js';
import {
  type CarOtaServerEvent,
  isInScope,
  NEVER_EXPIRES,
  newUuid,
  type Scopes,
  toMilliseconds,
} from '../../contract/index.js';
import { modelInScope, scopesParameter, vehicleInScope } from '../../service/access/index.js';
import { recordRequest } from '../../service/audit/index.js';
import { type Database, only, type Queryable, textArray } from '../../service/database/index.js';
import { moveCounters } from '../operation-counters.js';

/** The ref-id is an operation with another model or script, one that accepts no more vehicles, or not the caller's. */
export class OperationConflict extends Error {
  override readonly name = 'OperationConflict';
  constructor(
    readonly code:
      'REF_ID_CONFLICT' | 'OPERATION_CANCELLED' | 'OPERATION_ARCHIVED' | 'OUT_OF_SCOPE',
    message: string,
  ) {
    super(message);
  }
}

/** The counts in the answer, and the rejected VINs. */
export interface TriggerOutcome extends Readonly<Omit<TriggerResult, 'ref-id' | 'rejected'>> {
  /** The first 1,000 unregistered vehicles, in VIN order. */
  readonly rejected: string[];
}

export interface TriggerOptions {
  /** Counter shard of this writer. */
  readonly shard: number;
  /** Id of the caller's token. */
  readonly by: string;
  /** The caller's scope; absent: not limited. */
  readonly scopes?: Scopes;
  /** ms */
  readonly now: number;
  /** Seconds until a trigger expires, if the event does not say; -1 = never. Default: never. */
  readonly ttl?: number | undefined;
  /** Whether vehicles acknowledge, if the event does not say. Default: true. */
  readonly ackRequired?: boolean | undefined;
  /** W3C Trace Context of the request, if it is traced. */
  readonly traceParent?: string | undefined;
}

const MAX_REPORTED = 1_000;
/** Vehicles per transaction; in between, other writers get their turn. */
const CHUNK = 10_000;

/** @throws OperationConflict, DatabaseError */
export async function acceptTrigger(
  database: Database,
  event: CarOtaServerEvent,
  options: TriggerOptions,
): Promise<TriggerOutcome> {
  const vins = distinctVins(event.body.vins);
  const operationId = await database.transaction(async (tx) => {
    await holdScopes(tx, event.body, vins, options.scopes);
    const id = await openOperation(tx, event, options);
    const { model, 'script-ref-id': script, 'ref-id': refId, vins: given } = event.body;
    const detail = { model, 'script-ref-id': script, vehicles: given.length };
    await recordRequest(tx, options.now, { refId, detail });
    return id;
  });
  let accepted = 0;
  let added = 0;
  let rejectedCount = 0;
  const rejected: string[] = [];
  for (let start = 0; start < vins.length; start += CHUNK) {
    const chunk = vins.slice(start, start + CHUNK);
    const outcome = await addVehicles(database, operationId, chunk, options);
    // Throws if the operation has since been cancelled or archived.
    if (outcome.open === 0) await openFor(database, event.body);
    accepted += outcome.accepted;
    added += outcome.added;
    rejectedCount += outcome.rejected.length;
    for (const vin of outcome.rejected) if (rejected.length < MAX_REPORTED) rejected.push(vin);
  }
  return {
    accepted,
    alreadyIncluded: vins.length - added,
    repeated: event.body.vins.length - vins.length,
    rejectedCount,
    rejected,
  };
}

/** In order. Of a million VINs a set would need 60 MB. */
function distinctVins(vins: readonly string[]): string[] {
  const sorted = vins.map((vin) => vin.toUpperCase()).sort();
  let kept = 0;
  for (const vin of sorted) if (kept === 0 || vin !== sorted[kept - 1]) sorted[kept++] = vin;
  sorted.length = kept;
  return sorted;
}

/**
 * The same refusal for a vehicle or an operation of another model and for a vehicle that is not registered: it does not say
 * what exists. Nothing of the trigger is recorded.
 *
 * @throws OperationConflict
 */
async function holdScopes(
  tx: Queryable,
  { model, 'ref-id': refId }: CarOtaServerEvent['body'],
  vins: readonly string[],
  scopes: Scopes = null,
): Promise<void> {
  if (scopes === null) return;
  const [other] = await tx.query(
    `select from unnest($1::text[]) as i (vin) where not ${vehicleInScope('i.vin', '$3')}
     union all
     select from operations where ref_id = $2 and not ${modelInScope('model', '$3')}
     limit 1`,
    [textArray(vins), refId, scopesParameter(scopes)],
  );
  if (other === undefined && isInScope(scopes, model)) return;
  throw new OperationConflict(
    'OUT_OF_SCOPE',
    'the caller is limited to some vehicle models: the trigger names another model, or a vehicle that is not registered with one of these, or the ref-id of an operation that is not theirs',
  );
}

interface OperationRow {
  readonly id: number;
  readonly model: string;
  readonly script_ref_id: string;
  readonly status: string;
  readonly archived_at: Date | null;
}

async function openOperation(
  database: Queryable,
  { time, body }: CarOtaServerEvent,
  options: TriggerOptions,
): Promise<number> {
  const { by, now } = options;
  const { dispatch = {} } = body;
  const ackRequired =
    dispatch.ack_required === undefined
      ? (options.ackRequired ?? true)
      : dispatch.ack_required === '1';
  await database.query(
    `insert into operations
       (ref_id, model, script_ref_id, ttl, ack_required, scheduled_at, created_at, created_by,
        priority, rate, trace_parent)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     on conflict (ref_id) do nothing`,
    [
      body['ref-id'],
      body.model,
      body['script-ref-id'],
      dispatch.ttl ?? options.ttl ?? NEVER_EXPIRES,
      ackRequired,
      new Date(scheduledAt(time, now)),
      new Date(now),
      by,
      dispatch.priority ?? 0,
      dispatch.rate ? JSON.stringify(dispatch.rate) : null,
      options.traceParent ?? null,
    ],
  );
  return openFor(database, body);
}

/** @returns id of the operation @throws OperationConflict if it cannot accept these vehicles */
async function openFor(database: Queryable, body: CarOtaServerEvent['body']): Promise<number> {
  const operation = only(
    await database.query<OperationRow>(
      'select id, model, script_ref_id, status, archived_at from operations where ref_id = $1',
      [body['ref-id']],
    ),
  );
  if (operation.model !== body.model || operation.script_ref_id !== body['script-ref-id']) {
    throw new OperationConflict(
      'REF_ID_CONFLICT',
      `ref-id '${body['ref-id']}' is an operation with model '${operation.model}' and script '${operation.script_ref_id}'`,
    );
  }
  if (operation.archived_at !== null) {
    throw new OperationConflict(
      'OPERATION_ARCHIVED',
      `operation '${body['ref-id']}' is archived and accepts no more vehicles`,
    );
  }
  if (operation.status === 'cancelled') {
    throw new OperationConflict(
      'OPERATION_CANCELLED',
      `operation '${body['ref-id']}' is cancelled and accepts no more vehicles`,
    );
  }
  return operation.id;
}

/** The event's own time, ms; the time of receipt if the database cannot store it. */
function scheduledAt(time: number, now: number): number {
  const ms = toMilliseconds(time);
  return ms >= 0 && ms < Date.UTC(10_000, 0) ? ms : now;
}

const ADD_VEHICLES = /* sql */ `
with operation as materialized (
  -- A concurrent cancel waits until these vehicles are added; after a cancel they are not added.
  select id from operations
  where id = $3::bigint and status <> 'cancelled' and archived_at is null for share
),
input as materialized (
  select i.vin, i.trigger_id, v.vin is not null as registered
  from operation, unnest($1::text[], $2::uuid[]) as i (vin, trigger_id)
  left join vehicles v on v.vin = i.vin
),
added as (
  insert into deliveries
    (operation_id, vin, trigger_id, triggered_at, delivery, state, due_at, updated_at)
  select $3::bigint, vin, trigger_id, $4::timestamptz, state, state,
    -- An unregistered vehicle becomes due when it is registered. It is also looked up later, in case it is being
    -- registered at this moment.
    case when registered then $4::timestamptz else $4::timestamptz + interval '1 minute' end,
    $4::timestamptz
  from (
    select *, case when registered then 'pending' else 'device_not_found' end as state from input
  ) i
  order by vin
  on conflict (operation_id, vin) do nothing
  returning vin, state
),
counted as (${moveCounters(
  'select $3::bigint as operation_id, state, false as paused, 1 as n from added',
  '$5',
)}
),
rejected as (
  select vin from added where state = 'device_not_found'
  union all
  select d.vin from input i
  join deliveries d on d.operation_id = $3::bigint and d.vin = i.vin
  where d.delivery = 'device_not_found'
)
select
  (select count(*) from added where state = 'pending') as accepted,
  (select count(*) from added) as added,
  (select count(*) from operation) as open,
  (select coalesce(json_agg(vin order by vin), '[]') from rejected) as rejected`;

async function addVehicles(
  database: Queryable,
  operationId: number,
  vins: readonly string[],
  { shard, now }: TriggerOptions,
): Promise<{ accepted: number; added: number; open: number; rejected: string[] }> {
  return only(
    await database.query(ADD_VEHICLES, [
      textArray(vins),
      textArray(vins.map(() => newUuid(now))),
      operationId,
      new Date(now),
      shard,
    ]),
  );
}
