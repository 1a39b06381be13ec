/** Operations and their vehicles as the HTTP interface writes them. */
import Type from 'typebox';
import { notFound, Nullable, Problem, Time } from '../../../service/http/index.js';
import { cloudMessageId, Priority, statusName, TriggerRate } from '../../../contract/index.js';
import {
  type DeliveryRow,
  findDelivery,
  findOperation,
  type HistoryRow,
  type OperationSummary,
} from '../../operations/index.js';
import { type HttpContext } from '../context.js';

export const Operation = Type.Object(
  {
    'ref-id': Type.String(),
    model: Type.String(),
    'script-ref-id': Type.String(),
    status: Type.Enum(['active', 'paused', 'cancelled', 'finished'], {
      description:
        'finished: no vehicle is open. A retrigger, or a vehicle that is added, makes it active again.',
    }),
    scheduledAt: Time,
    createdAt: Time,
    archivedAt: Nullable(Time),
    priority: Priority,
    rate: Nullable(TriggerRate),
    ttl: Type.Integer({ description: 'Seconds; -1 = never.' }),
    ackRequired: Type.Boolean(),
    vehicles: Type.Integer({ description: 'All vehicles; each is in exactly one state.' }),
    states: Type.Record(Type.String(), Type.Integer()),
    paused: Type.Integer({ description: 'Vehicles whose newest event is pause.' }),
    finished: Type.Integer({ description: 'Come to an end, with or without success.' }),
    succeeded: Type.Integer(),
    failed: Type.Integer({ description: 'Ended without success, not by a person.' }),
    open: Type.Integer({
      description: 'Something is still to come from them or to be sent to them.',
    }),
    finishedPerMinute: Type.Number({
      description: 'Vehicles finished per minute, over the last five minutes; 0 once none is open.',
    }),
  },
  { title: 'Operation' },
);

export const VehicleState = Type.Object(
  {
    vin: Type.String(),
    state: Type.String({ description: 'Of the newest event, else the delivery state.' }),
    paused: Type.Boolean(),
    delivery: Type.String(),
    attempt: Type.Integer(),
    reason: Nullable(
      Type.String({ description: 'In the vehicle’s words, where its newest event says so.' }),
    ),
    sends: Type.Integer({ description: 'How often the trigger of this attempt was sent.' }),
    triggerMessageId: Type.String(),
    triggeredAt: Time,
    lastSentAt: Nullable(Time),
    acknowledgedAt: Nullable(Time),
    eventAt: Nullable(Time),
    updatedAt: Time,
  },
  { title: 'VehicleState' },
);

const HistoryEntry = Type.Object(
  {
    kind: Type.Enum(['ack', 'event']),
    messageId: Type.String(),
    correlationId: Type.String(),
    attempt: Type.Integer(),
    status: Nullable(Type.Number()),
    statusName: Nullable(Type.String()),
    eventAt: Time,
    receivedAt: Time,
    sub_system_id: Type.String(),
    device_id: Type.String(),
    device_type: Type.String(),
    meta: Type.Array(Type.Object({ key: Type.String(), value: Type.String() })),
    envelope: Nullable(
      Type.String({ description: 'As it came, if it has fields that are not the contract’s.' }),
    ),
  },
  { title: 'HistoryEntry' },
);

export const VehicleWithHistory = Type.Object(
  { ...VehicleState.properties, history: Type.Array(HistoryEntry) },
  { title: 'VehicleWithHistory' },
);

export async function operationOf(
  { database }: HttpContext,
  refId: string,
): Promise<OperationSummary> {
  const operation = await findOperation(database, refId);
  if (!operation) throw notFound('OPERATION_NOT_FOUND', `there is no operation '${refId}'`);
  return operation;
}

/** For what is told of its vehicles. @throws Problem also where it is archived */
export async function operationWithVehicles(
  context: HttpContext,
  refId: string,
): Promise<OperationSummary> {
  const operation = await operationOf(context, refId);
  if (operation.archived_at === null) return operation;
  const since = operation.archived_at.toISOString();
  throw new Problem(
    410,
    'OPERATION_ARCHIVED',
    `operation '${refId}' was archived at ${since}: its counts are kept, its vehicles and their history are not`,
  );
}

export async function deliveryOf(
  context: HttpContext,
  { refId, vin }: { refId: string; vin: string },
) {
  const operation = await operationWithVehicles(context, refId);
  const delivery = await findDelivery(context.database, operation.id, vin.toUpperCase());
  if (!delivery) {
    throw notFound('VEHICLE_NOT_IN_OPERATION', `operation '${refId}' has no vehicle ${vin}`);
  }
  return { operation, delivery };
}

export function operationBody(operation: OperationSummary) {
  return {
    'ref-id': operation.ref_id,
    model: operation.model,
    'script-ref-id': operation.script_ref_id,
    status: statusOf(operation),
    scheduledAt: operation.scheduled_at,
    createdAt: operation.created_at,
    archivedAt: operation.archived_at,
    priority: operation.priority,
    rate: operation.rate,
    ttl: operation.ttl,
    ackRequired: operation.ack_required,
    ...operation.progress,
  };
}

/** A paused operation stays paused: vehicles that are added to it wait for its resume. */
function statusOf({ status, progress: { open, vehicles } }: OperationSummary) {
  return status === 'active' && open === 0 && vehicles > 0 ? 'finished' : status;
}

export function vehicleBody(row: DeliveryRow) {
  return {
    vin: row.vin,
    state: row.state,
    paused: row.paused,
    delivery: row.delivery,
    attempt: row.attempt,
    reason: row.reason,
    sends: row.sends,
    triggerMessageId: cloudMessageId(row.trigger_id),
    triggeredAt: row.triggered_at,
    lastSentAt: row.last_sent_at,
    acknowledgedAt: row.acknowledged_at,
    eventAt: row.event_at,
    updatedAt: row.updated_at,
  };
}

export function historyBody(row: HistoryRow) {
  return {
    kind: row.status === null ? 'ack' : 'event',
    messageId: row.message_id,
    correlationId: row.correlation_id,
    attempt: row.attempt,
    status: row.status,
    statusName: row.status === null ? null : statusName(row.status),
    eventAt: row.event_at,
    receivedAt: row.received_at,
    sub_system_id: row.sub_system_id,
    device_id: row.device_id,
    device_type: row.device_type,
    meta: row.meta,
    envelope: row.envelope,
  };
}
