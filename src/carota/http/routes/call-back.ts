/** `POST /v1.0/ota/events`: the adapter's event call-back (contract section 6). */
import { type FastifyRequest } from 'fastify';
import Type from 'typebox';
import { CallbackEnvelope, checkOf } from '../../../contract/index.js';
import {
  describeRoute,
  invalid,
  json,
  Problem,
  readBytes,
  type Server,
} from '../../../service/http/index.js';
import { arrivedEvents, receiveEvents } from '../../events/index.js';
import { signatureFault } from '../call-back-signature.js';
import { type CarotaContext } from '../context.js';

const Answer = Type.Object({
  stored: Type.Integer({ description: 'Events that were new.' }),
  duplicates: Type.Integer({ description: 'Events that were known already.' }),
  refused: Type.Integer({
    description: 'Events that were put aside with their reason: see /v1.0/refused-events.',
  }),
});
const check = checkOf(CallbackEnvelope);
/** The adapter's batches are a megabyte. */
const MAX_BYTES = 16 * 1024 * 1024;

export function callBackRoute(server: Server, context: CarotaContext): void {
  // The signature is of the bytes as they came, so nothing reads them before.
  server.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('application/json', (request: FastifyRequest) =>
      readBytes(request.raw, MAX_BYTES),
    );
    scope.post<{ Body: Buffer | undefined }>(
      '/v1.0/ota/events',
      describeRoute(undefined, {
        tags: ['Call-back'],
        summary: 'Take events that the OTA Adapter calls back',
        description:
          'Signed by Standard Webhooks: webhook-id, webhook-timestamp, webhook-signature. An event that is known is counted and changes nothing. An event that cannot be taken is put aside and does not hold up the others.',
        response: { 200: json(Answer, 'Stored.') },
      }),
      async ({ headers, body }) => {
        const text = (body as Buffer | null | undefined)?.toString() ?? '';
        const { callbackSecrets, clock } = context;
        const fault = signatureFault(text, headers, callbackSecrets, clock());
        if (fault !== undefined) throw new Problem(401, 'SIGNATURE_REFUSED', fault);
        const message = parsed(text);
        if (!check.matches(message)) throw invalid(check.errors(message));
        const received = await receiveEvents(
          context.database,
          arrivedEvents(text, message.body.events),
          context.clock(),
        );
        const { stored, duplicates, refused } = received;
        context.metrics.eventsReceived(received);
        if (refused.length > 0) {
          context.log.warn({ refused: refused.length }, 'events were put aside');
        }
        context.wake();
        return { stored, duplicates, refused: refused.length };
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
