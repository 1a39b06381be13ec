/** `/v1.0/ota/operations`: where operations and their vehicles stand, and control of them. */
import Type from 'typebox';
import { cloudMessageId, statusName } from '../../../protocol/index.js';
import {
  cancelOperation,
  type DeliveryRow,
  findDelivery,
  findOperation,
  history,
  type HistoryRow,
  listDeliveries,
  listOperations,
  OperationIsCancelled,
  type OperationSummary,
  retrigger,
  setPaused,
} from '../../operations/index.js';
import {
  badCursor,
  describeRoute,
  type HttpContext,
  json,
  Nullable,
  page,
  pageOf,
  PageQuery,
  positionOf,
  RefIdParams,
  RefIdVinParams,
  type Server,
  Time,
} from '../context.js';
import { notFound, Problem } from '../problem.js';

const Operation = Type.Object(
  {
    'ref-id': Type.String(),
    model: Type.String(),
    'script-ref-id': Type.String(),
    status: Type.Enum(['active', 'paused', 'cancelled']),
    scheduledAt: Time,
    createdAt: Time,
    vehicles: Type.Integer({ description: 'All vehicles; each is in exactly one state.' }),
    states: Type.Record(Type.String(), Type.Integer()),
    paused: Type.Integer({ description: 'Vehicles whose newest event is pause.' }),
    finished: Type.Integer({ description: 'Come to an end, with or without success.' }),
    succeeded: Type.Integer(),
    failed: Type.Integer({ description: 'Ended without success, not by a person.' }),
  },
  { title: 'Operation' },
);

const VehicleState = Type.Object(
  {
    vin: Type.String(),
    state: Type.String({ description: 'Of the newest event, else the delivery state.' }),
    paused: Type.Boolean(),
    delivery: Type.String(),
    attempt: Type.Integer(),
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

const VehicleWithHistory = Type.Object(
  { ...VehicleState.properties, history: Type.Array(HistoryEntry) },
  { title: 'VehicleWithHistory' },
);

const VehiclesQuery = Type.Object({
  ...PageQuery.properties,
  state: Type.Optional(Type.String({ description: 'Only vehicles in this state.' })),
});

type Page = Type.Static<typeof PageQuery>;
type RefId = Type.Static<typeof RefIdParams>;
type RefIdVin = Type.Static<typeof RefIdVinParams>;
const tags = ['Operations'];

export function operationRoutes(server: Server, context: HttpContext): void {
  const { database } = context;

  server.get<{ Querystring: Page }>(
    '/v1.0/ota/operations',
    describeRoute('read', {
      tags,
      summary: 'List operations, newest first',
      querystring: PageQuery,
      response: { 200: json(pageOf(Operation), 'A page of operations.') },
    }),
    async ({ query: { limit, cursor } }) => {
      const before = Number(positionOf(cursor) ?? Number.MAX_SAFE_INTEGER);
      if (!Number.isSafeInteger(before)) throw badCursor();
      const rows = await listOperations(database, { before, limit });
      return page(rows, limit, ({ id }) => String(id), operationBody);
    },
  );

  server.get<{ Params: RefId }>(
    '/v1.0/ota/operations/:refId',
    describeRoute('read', {
      tags,
      summary: 'Progress of one operation',
      params: RefIdParams,
      response: { 200: json(Operation, 'The operation.') },
    }),
    async ({ params }) => operationBody(await operationOf(context, params.refId)),
  );

  server.get<{ Params: RefId; Querystring: Type.Static<typeof VehiclesQuery> }>(
    '/v1.0/ota/operations/:refId/vehicles',
    describeRoute('read', {
      tags,
      summary: 'List an operation’s vehicles in VIN order',
      params: RefIdParams,
      querystring: VehiclesQuery,
      response: { 200: json(pageOf(VehicleState), 'A page of vehicles.') },
    }),
    async ({ params, query: { limit, cursor, state } }) => {
      const { id } = await operationOf(context, params.refId);
      const after = positionOf(cursor) ?? '';
      const rows = await listDeliveries(database, id, { after, limit, state });
      return page(rows, limit, ({ vin }) => vin, vehicleBody);
    },
  );

  server.get<{ Params: RefIdVin }>(
    '/v1.0/ota/operations/:refId/vehicles/:vin',
    describeRoute('read', {
      tags,
      summary: 'State and full history of one vehicle',
      params: RefIdVinParams,
      response: { 200: json(VehicleWithHistory, 'The vehicle in this operation.') },
    }),
    async ({ params }) => {
      const { operation, delivery } = await deliveryOf(context, params);
      const entries = await history(database, operation.id, delivery.vin);
      return { ...vehicleBody(delivery), history: entries.map(historyBody) };
    },
  );

  controlRoutes(server, context);
}

function controlRoutes(server: Server, context: HttpContext): void {
  const { database, shard, clock } = context;

  const control = (
    action: 'pause' | 'resume' | 'cancel',
    summary: string,
    act: (operation: OperationSummary) => Promise<unknown>,
  ) => {
    server.post<{ Params: RefId }>(
      `/v1.0/ota/operations/:refId/${action}`,
      describeRoute('control', {
        tags,
        summary,
        params: RefIdParams,
        response: { 200: json(Operation, 'The operation afterwards.') },
      }),
      async ({ params }) => {
        await act(await operationOf(context, params.refId)).catch(cancelledAsProblem);
        context.wakeSender();
        return operationBody(await operationOf(context, params.refId));
      },
    );
  };
  control('pause', 'Send no more triggers until resumed', ({ id }) =>
    setPaused(database, id, true),
  );
  control('resume', 'Send triggers again', ({ id }) => setPaused(database, id, false));
  control('cancel', 'Never send what was not yet sent', ({ id }) =>
    cancelOperation(database, id, { shard, now: clock() }),
  );

  server.post<{ Params: RefIdVin }>(
    '/v1.0/ota/operations/:refId/vehicles/:vin/retrigger',
    describeRoute('control', {
      tags,
      summary: 'Start a new attempt for one vehicle',
      params: RefIdVinParams,
      response: { 200: json(VehicleState, 'The vehicle, with its new attempt.') },
    }),
    async ({ params }) => {
      const { operation, delivery } = await deliveryOf(context, params);
      await retrigger(database, operation.id, delivery.vin, { shard, now: clock() }).catch(
        cancelledAsProblem,
      );
      context.wakeSender();
      return vehicleBody((await deliveryOf(context, params)).delivery);
    },
  );
}

async function operationOf({ database }: HttpContext, refId: string): Promise<OperationSummary> {
  const operation = await findOperation(database, refId);
  if (!operation) throw notFound('OPERATION_NOT_FOUND', `there is no operation '${refId}'`);
  return operation;
}

async function deliveryOf(context: HttpContext, { refId, vin }: RefIdVin) {
  const operation = await operationOf(context, refId);
  const delivery = await findDelivery(context.database, operation.id, vin.toUpperCase());
  if (!delivery) {
    throw notFound('VEHICLE_NOT_IN_OPERATION', `operation '${refId}' has no vehicle ${vin}`);
  }
  return { operation, delivery };
}

function cancelledAsProblem(error: unknown): never {
  if (error instanceof OperationIsCancelled) {
    throw new Problem(409, 'OPERATION_CANCELLED', 'a cancelled operation cannot be controlled');
  }
  throw error;
}

function operationBody(operation: OperationSummary) {
  return {
    'ref-id': operation.ref_id,
    model: operation.model,
    'script-ref-id': operation.script_ref_id,
    status: operation.status,
    scheduledAt: operation.scheduled_at,
    createdAt: operation.created_at,
    ...operation.progress,
  };
}

function vehicleBody(row: DeliveryRow) {
  return {
    vin: row.vin,
    state: row.state,
    paused: row.paused,
    delivery: row.delivery,
    attempt: row.attempt,
    sends: row.sends,
    triggerMessageId: cloudMessageId(row.trigger_id),
    triggeredAt: row.triggered_at,
    lastSentAt: row.last_sent_at,
    acknowledgedAt: row.acknowledged_at,
    eventAt: row.event_at,
    updatedAt: row.updated_at,
  };
}

function historyBody(row: HistoryRow) {
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
