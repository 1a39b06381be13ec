/** Control of operations: pause, resume, cancel, change, retrigger. Each call is in the audit log. */
import Type from 'typebox';
import {
  callerOf,
  describeRoute,
  json,
  Nullable,
  Problem,
  Reason,
  RefIdParams,
  RefIdVinParams,
  type Server,
  WithReason,
} from '../../../service/http/index.js';
import { Priority, TriggerRate, StateName, VEHICLE_STATES } from '../../../contract/index.js';
import {
  cancelOperation,
  changeDispatch,
  countSent,
  OperationIsArchived,
  OperationIsCancelled,
  retriggerState,
  retriggerVehicle,
  setPaused,
} from '../../operations/index.js';
import { actorOf, type HttpContext } from '../context.js';
import {
  deliveryOf,
  Operation,
  operationBody,
  operationOf,
  vehicleBody,
  VehicleState,
} from './operation-bodies.js';

const CancelledOperation = Type.Object(
  {
    ...Operation.properties,
    stopped: Type.Integer({ description: 'Vehicles that this call has kept from being sent one.' }),
    inFlight: Type.Integer({
      description:
        'Of these: in a sender’s hands at that moment. Where the trigger went out all the same, the vehicle is `sent` a moment later, not `cancelled`.',
    }),
    alreadySent: Type.Integer({
      description: 'Vehicles that were sent their trigger before: they may still update.',
    }),
  },
  { title: 'CancelledOperation' },
);

const Change = Type.Object(
  {
    priority: Type.Optional(Priority),
    rate: Type.Optional(Nullable(TriggerRate)),
    reason: Type.Optional(Reason),
  },
  { additionalProperties: false, minProperties: 1 },
);

const RetriggerState = Type.Object(
  {
    state: StateName(
      VEHICLE_STATES,
      'All vehicles in this state; unknown: in any unknown(<number>).',
    ),
    reason: Type.Optional(Reason),
  },
  { additionalProperties: false },
);

const Retriggered = Type.Object({
  retriggered: Type.Integer({ description: 'Vehicles that have a new attempt.' }),
});

type RefId = Type.Static<typeof RefIdParams>;
type RefIdVin = Type.Static<typeof RefIdVinParams>;
type MaybeReason = Type.Static<typeof WithReason> | undefined;
const tags = ['Control'];

export function controlRoutes(server: Server, context: HttpContext): void {
  pauseRoutes(server, context);
  retriggerRoutes(server, context);
  const { database, shard, clock, log } = context;

  server.post<{ Params: RefId; Body: MaybeReason }>(
    '/v1.0/ota/operations/:refId/cancel',
    describeRoute('control', {
      tags,
      summary: 'Never send what was not yet sent',
      description: 'What already was sent is told truthfully: a vehicle that has it may go on.',
      params: RefIdParams,
      body: WithReason,
      response: {
        200: json(CancelledOperation, 'What was stopped, and the operation afterwards.'),
      },
    }),
    async (request) => {
      const { refId } = request.params;
      const { id } = await operationOf(context, refId);
      const by = actorOf(request, request.body?.reason);
      const outcome = await cancelOperation(database, id, { shard, now: clock(), by }).catch(
        closedAsProblem,
      );
      const operation = await operationOf(context, refId);
      const alreadySent = await countSent(database, id);
      log.info({ operation: refId, by: by.name, ...outcome }, 'operation cancelled');
      return { ...operationBody(operation), ...outcome, alreadySent };
    },
  );

  server.patch<{ Params: RefId; Body: Type.Static<typeof Change> }>(
    '/v1.0/ota/operations/:refId',
    describeRoute('control', {
      tags,
      summary: 'Change rate and priority, also while it runs',
      params: RefIdParams,
      body: Change,
      response: { 200: json(Operation, 'The operation afterwards.') },
    }),
    async (request) => {
      const { refId } = request.params;
      const { reason, ...change } = request.body;
      const { id } = await operationOf(context, refId);
      const by = actorOf(request, reason);
      await changeDispatch(database, id, change, { now: clock(), by }).catch(closedAsProblem);
      log.info({ operation: refId, by: by.name, ...change }, 'operation changed');
      context.wakeSender();
      return operationBody(await operationOf(context, refId));
    },
  );
}

function pauseRoutes(server: Server, context: HttpContext): void {
  const { database, clock, log } = context;
  for (const [action, summary] of [
    ['pause', 'Send no more triggers until resumed'],
    ['resume', 'Send triggers again'],
  ] as const) {
    server.post<{ Params: RefId; Body: MaybeReason }>(
      `/v1.0/ota/operations/:refId/${action}`,
      describeRoute('control', {
        tags,
        summary,
        params: RefIdParams,
        body: WithReason,
        response: { 200: json(Operation, 'The operation afterwards.') },
      }),
      async (request) => {
        const { refId } = request.params;
        const { id } = await operationOf(context, refId);
        const by = actorOf(request, request.body?.reason);
        const now = clock();
        await setPaused(database, id, action === 'pause', { now, by }).catch(closedAsProblem);
        log.info({ operation: refId, by: by.name }, `operation: ${action}`);
        context.wakeSender();
        return operationBody(await operationOf(context, refId));
      },
    );
  }
}

function retriggerRoutes(server: Server, context: HttpContext): void {
  const { database, shard, clock, log } = context;

  server.post<{ Params: RefIdVin; Body: MaybeReason }>(
    '/v1.0/ota/operations/:refId/vehicles/:vin/retrigger',
    describeRoute('control', {
      tags,
      summary: 'Start a new attempt for one vehicle',
      params: RefIdVinParams,
      body: WithReason,
      response: { 200: json(VehicleState, 'The vehicle, with its new attempt.') },
    }),
    async (request) => {
      const { params } = request;
      const { operation, delivery } = await deliveryOf(context, params);
      const by = actorOf(request, request.body?.reason);
      const options = { shard, now: clock(), by };
      await retriggerVehicle(database, operation.id, delivery.vin, options).catch(closedAsProblem);
      log.info({ operation: params.refId, vin: delivery.vin, by: by.name }, 'vehicle retriggered');
      context.wakeSender();
      return vehicleBody((await deliveryOf(context, params)).delivery);
    },
  );

  server.post<{ Params: RefId; Body: Type.Static<typeof RetriggerState> }>(
    '/v1.0/ota/operations/:refId/retrigger',
    describeRoute('control', {
      tags,
      summary: 'Start a new attempt for all vehicles in a state',
      params: RefIdParams,
      body: RetriggerState,
      response: { 200: json(Retriggered, 'How many there were.') },
    }),
    async (request) => {
      const { refId } = request.params;
      const { state, reason } = request.body;
      const { id } = await operationOf(context, refId);
      const by = actorOf(request, reason);
      const options = { shard, now: clock(), by };
      const retriggered = await retriggerState(database, id, state, options).catch(closedAsProblem);
      log.info({ operation: refId, state, retriggered, by: callerOf(request).name }, 'retriggered');
      context.wakeSender();
      return { retriggered };
    },
  );
}

function closedAsProblem(error: unknown): never {
  if (error instanceof OperationIsArchived) {
    throw new Problem(409, 'OPERATION_ARCHIVED', 'an archived operation cannot be controlled');
  }
  if (error instanceof OperationIsCancelled) {
    throw new Problem(409, 'OPERATION_CANCELLED', 'a cancelled operation cannot be controlled');
  }
  throw error;
}
