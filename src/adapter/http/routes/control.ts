/** Control of operations: pause, resume, cancel, change, retrigger. Each action is recorded in the audit log. */
import { controlApi } from '../../../contract/adapter-api/index.js';
import { actorOf, Problem, scopesOf, serve, type Server } from '../../../service/http/index.js';
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
import { type HttpContext } from '../context.js';
import { deliveryOf, operationBody, operationOf, vehicleBody } from './operation-bodies.js';

export function controlRoutes(server: Server, context: HttpContext): void {
  pauseRoutes(server, context);
  retriggerRoutes(server, context);
  const { database, shard, clock, log } = context;

  serve(server, controlApi.cancelOperation, async ({ request, params, body }) => {
    const { 'ref-id': refId } = params;
    const { id } = await operationOf(context, refId);
    const by = actorOf(request, body?.reason);
    const outcome = await cancelOperation(database, id, { shard, now: clock(), by }).catch(
      closedAsProblem,
    );
    const operation = await operationOf(context, refId);
    const alreadySent = await countSent(database, id);
    log.info({ operation: refId, by: by.name, ...outcome }, 'operation cancelled');
    return { ...operationBody(operation), ...outcome, alreadySent };
  });

  serve(server, controlApi.changeOperation, async ({ request, params, body }) => {
    const { 'ref-id': refId } = params;
    const { reason, ...change } = body;
    const { id } = await operationOf(context, refId);
    const by = actorOf(request, reason);
    await changeDispatch(database, id, change, { now: clock(), by }).catch(closedAsProblem);
    log.info({ operation: refId, by: by.name, ...change }, 'operation changed');
    context.wakeSender();
    return operationBody(await operationOf(context, refId));
  });
}

function pauseRoutes(server: Server, context: HttpContext): void {
  const { database, clock, log } = context;
  for (const [route, paused] of [
    [controlApi.pauseOperation, true],
    [controlApi.resumeOperation, false],
  ] as const) {
    serve(server, route, async ({ request, params, body }) => {
      const { 'ref-id': refId } = params;
      const { id } = await operationOf(context, refId);
      const by = actorOf(request, body?.reason);
      await setPaused(database, id, paused, { now: clock(), by }).catch(closedAsProblem);
      log.info({ operation: refId, by: by.name }, `operation ${paused ? 'paused' : 'resumed'}`);
      context.wakeSender();
      return operationBody(await operationOf(context, refId));
    });
  }
}

function retriggerRoutes(server: Server, context: HttpContext): void {
  const { database, shard, clock, log } = context;

  serve(server, controlApi.retriggerVehicle, async ({ request, params, body }) => {
    const { operation, delivery } = await deliveryOf(context, params);
    const { vin } = delivery;
    const by = actorOf(request, body?.reason);
    const options = { shard, now: clock(), by };
    await retriggerVehicle(database, operation.id, vin, options).catch(closedAsProblem);
    log.info({ operation: operation.ref_id, vin, by: by.name }, 'vehicle retriggered');
    context.wakeSender();
    return vehicleBody((await deliveryOf(context, params)).delivery);
  });

  serve(server, controlApi.retriggerVehicles, async ({ request, params, body }) => {
    const { 'ref-id': refId } = params;
    const { state, reason } = body;
    const { id } = await operationOf(context, refId);
    const by = actorOf(request, reason);
    const options = { shard, now: clock(), by, scopes: scopesOf(request) };
    const retriggered = await retriggerState(database, id, state, options).catch(closedAsProblem);
    log.info({ operation: refId, state, retriggered, by: by.name }, 'vehicles retriggered');
    context.wakeSender();
    return { retriggered };
  });
}

function closedAsProblem(error: unknown): never {
  if (error instanceof OperationIsArchived) {
    throw new Problem('OPERATION_ARCHIVED', 'an archived operation cannot be controlled');
  }
  if (error instanceof OperationIsCancelled) {
    throw new Problem('OPERATION_CANCELLED', 'a cancelled operation cannot be controlled');
  }
  throw error;
}
