/** Operations and their vehicles in answers of the HTTP interface. */
import {
  type HistoryEntry,
  type Operation,
  type VehicleState,
} from '../../../contract/adapter-api/index.js';
import { Problem, type Served } from '../../../service/http/index.js';
import { cloudMessageId, statusName } from '../../../contract/index.js';
import {
  type DeliveryRow,
  findDelivery,
  findOperation,
  type HistoryRow,
  type OperationSummary,
} from '../../operations/index.js';
import { type HttpContext } from '../context.js';
import { unknownOperation, vehicleNotInOperation } from '../unknown.js';

export async function operationOf(
  { database }: HttpContext,
  refId: string,
): Promise<OperationSummary> {
  const operation = await findOperation(database, refId);
  if (!operation) throw unknownOperation(refId);
  return operation;
}

/** The operation whose vehicles are requested. @throws Problem also if it is archived */
export async function operationWithVehicles(
  context: HttpContext,
  refId: string,
): Promise<OperationSummary> {
  const operation = await operationOf(context, refId);
  if (operation.archived_at === null) return operation;
  const since = operation.archived_at.toISOString();
  throw new Problem(
    'OPERATION_ARCHIVED',
    `operation '${refId}' was archived at ${since}: its counts are kept, its vehicles and their history are not`,
  );
}

export async function deliveryOf(
  context: HttpContext,
  { 'ref-id': refId, vin }: { 'ref-id': string; vin: string },
) {
  const operation = await operationWithVehicles(context, refId);
  const delivery = await findDelivery(context.database, operation.id, vin.toUpperCase());
  if (!delivery) throw vehicleNotInOperation(refId, vin);
  return { operation, delivery };
}

export function operationBody(operation: OperationSummary): Served<Operation> {
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
    ack_required: operation.ack_required ? '1' : '0',
    ...operation.progress,
  };
}

/** A paused operation stays paused even without open vehicles: vehicles added later wait for its resume. */
function statusOf({ status, progress: { open, vehicles } }: OperationSummary): Operation['status'] {
  return status === 'active' && open === 0 && vehicles > 0 ? 'finished' : status;
}

export function vehicleBody(row: DeliveryRow): Served<VehicleState> {
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

export function historyBody(row: HistoryRow): Served<HistoryEntry> {
  return {
    kind: row.status === null ? 'ack' : 'event',
    message_id: row.message_id,
    correlation_id: row.correlation_id,
    attempt: row.attempt,
    status: row.status,
    'status-name': row.status === null ? null : statusName(row.status),
    eventAt: row.event_at,
    'received-at': row.received_at,
    sub_system_id: row.sub_system_id,
    device_id: row.device_id,
    device_type: row.device_type,
    meta: row.meta,
    envelope: row.envelope,
  };
}
