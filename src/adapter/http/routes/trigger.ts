/** `POST /v1.0/ota/trigger`: the CarOTA Server Event comes in. */
import Type from 'typebox';
import {
  callerOf,
  describeRoute,
  json,
  Problem,
  type Server,
} from '../../../service/http/index.js';
import { CarOtaServerEvent } from '../../../contract/index.js';
import { acceptTrigger, OperationConflict } from '../../operations/index.js';
import { type HttpContext } from '../context.js';

const TriggerAnswer = Type.Object({
  'ref-id': Type.String(),
  accepted: Type.Integer({ description: 'Vehicles that this call has added.' }),
  rejectedCount: Type.Integer(),
  rejected: Type.Array(
    Type.Object({
      vin: Type.String(),
      errorCode: Type.String(),
      errorMessage: Type.String(),
    }),
    { description: 'The first 1,000.' },
  ),
  alreadyKnown: Type.Integer({ description: 'Vehicles that were in the operation before.' }),
  repeated: Type.Integer({ description: 'Repetitions of a VIN in the request.' }),
});

export function triggerRoute(server: Server, context: HttpContext): void {
  server.post<{ Body: CarOtaServerEvent }>(
    '/v1.0/ota/trigger',
    describeRoute('trigger', {
      tags: ['Trigger'],
      summary: 'Trigger an update for vehicles',
      description:
        'Answers once every accepted vehicle is durably recorded. Idempotent: the same event again adds only vehicles that are not yet in the operation.',
      body: CarOtaServerEvent,
      response: { 202: json(TriggerAnswer, 'Recorded; each vehicle is sent its own OTA_TRIGGER.') },
    }),
    async (request, reply) => {
      const event = request.body;
      const refId = event.body['ref-id'];
      const { database, shard, clock, dispatchDefaults, tracing, log } = context;
      const by = callerOf(request).id;
      const header = request.headers.traceparent;
      const parent = typeof header === 'string' ? header : undefined;
      const outcome = await tracing
        .request(parent, refId, (traceParent) =>
          acceptTrigger(database, event, {
            ...dispatchDefaults,
            shard,
            by,
            now: clock(),
            traceParent,
          }),
        )
        .catch(conflictAsProblem);
      const { accepted, rejectedCount } = outcome;
      log.info({ operation: refId, accepted, rejected: rejectedCount }, 'trigger accepted');
      context.wakeSender();
      const { rejected, ...counts } = outcome;
      return reply.code(202).send({
        'ref-id': event.body['ref-id'],
        ...counts,
        rejected: rejected.map((vin) => ({
          vin,
          errorCode: 'DEVICE_NOT_FOUND',
          errorMessage: 'the registry does not know this vehicle',
        })),
      });
    },
  );
}

function conflictAsProblem(error: unknown): never {
  if (error instanceof OperationConflict) throw new Problem(409, error.code, error.message);
  throw error;
}
