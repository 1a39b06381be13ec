/** `POST /v1.0/ota/events`: the adapter's event call-back (contract section 6). */
import { type FastifyRequest } from 'fastify';
import Type from 'typebox';
import { CallbackMessage, checkOf } from '../../../protocol/index.js';
import {
  describeRoute,
  invalid,
  json,
  Problem,
  readBytes,
  type Server,
} from '../../../service/http/index.js';
import { receiveEvents } from '../../events/index.js';
import { signatureFault } from '../call-back-signature.js';
import { type CarotaContext } from '../context.js';

const Answer = Type.Object({ stored: Type.Integer(), duplicates: Type.Integer() });
const check = checkOf(CallbackMessage);
/** The adapter's batches are a megabyte. */
const MAX_BYTES = 16 * 1024 * 1024;

export function callBackRoute(server: Server, context: CarotaContext): void {
  // The signature is of the bytes as they came, so nothing reads them before.
  server.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('application/json', (request: FastifyRequest) =>
      readBytes(request.raw, MAX_BYTES),
    );
    scope.post<{ Body: Buffer }>(
      '/v1.0/ota/events',
      describeRoute(undefined, {
        tags: ['Call-back'],
        summary: 'Take events that the OTA Adapter calls back',
        description:
          'Signed by Standard Webhooks: webhook-id, webhook-timestamp, webhook-signature. An event that is known is counted and changes nothing.',
        response: { 200: json(Answer, 'Stored.') },
      }),
      async ({ headers, body }) => {
        const { callbackSecrets, clock } = context;
        const fault = signatureFault(body.toString(), headers, callbackSecrets, clock());
        if (fault !== undefined) throw new Problem(401, 'SIGNATURE_REFUSED', fault);
        const message = parsed(body.toString());
        if (!check.matches(message)) throw invalid(check.errors(message));
        const { stored, duplicates } = await receiveEvents(
          context.database,
          message.body.events,
          context.clock(),
        );
        context.metrics.eventsReceived(stored, duplicates);
        context.wake();
        return { stored, duplicates };
      },
    );
    done();
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(400, 'NOT_JSON', 'the body is not JSON');
  }
}
