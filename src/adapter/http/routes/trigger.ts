/** `POST /v1.0/ota/trigger`: accepts the CarOTA Server Event. */
import { triggerApi } from '../../../contract/adapter-api/index.js';
import { callerOf, Problem, serve, type Server } from '../../../service/http/index.js';
import { acceptTrigger, OperationConflict } from '../../operations/index.js';
import { type HttpContext } from '../context.js';

export function triggerRoute(server: Server, context: HttpContext): void {
  const { database, shard, clock, dispatchDefaults, tracing, log } = context;

  serve(server, triggerApi.trigger, async ({ request, headers, body: event }) => {
    const refId = event.body['ref-id'];
    const { id: by, scopes } = callerOf(request);
    const { rejected, ...counts } = await tracing
      .request(headers.traceparent, refId, (traceParent) =>
        acceptTrigger(database, event, {
          ...dispatchDefaults,
          shard,
          by,
          scopes,
          now: clock(),
          traceParent,
        }),
      )
      .catch(conflictAsProblem);
    const { accepted, rejectedCount } = counts;
    log.info({ operation: refId, accepted, rejected: rejectedCount }, 'trigger accepted');
    context.wakeSender();
    return { 'ref-id': refId, ...counts, rejected: rejected.map(unknownVehicle) };
  });
}

const unknownVehicle = (vin: string) =>
  ({
    vin,
    errorCode: 'DEVICE_NOT_FOUND',
    errorMessage: 'the registry does not have this vehicle',
  }) as const;

function conflictAsProblem(error: unknown): never {
  if (error instanceof OperationConflict) throw new Problem(error.code, error.message);
  throw error;
}
