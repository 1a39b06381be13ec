/** `POST /v1.0/ota/events`: the adapter's event call-back (contract section 6). */
import { CallbackEnvelope, checkOf } from '../../../contract/index.js';
import { eventReceiptApi } from '../../../contract/carota-api/index.js';
import { invalid, Problem, serve, type Server } from '../../../service/http/index.js';
import { arrivedEvents, receiveEvents } from '../../events/index.js';
import { signatureFault } from '../call-back-signature.js';
import { type CarotaContext } from '../context.js';

const check = checkOf(CallbackEnvelope);

export function callBackRoute(server: Server, context: CarotaContext): void {
  const { database, callbackSecrets, clock, metrics, log, wake } = context;

  serve(server, eventReceiptApi.receiveEvents, async ({ headers, body }) => {
    const text = body?.toString() ?? '';
    const fault = signatureFault(text, headers, callbackSecrets, clock());
    if (fault !== undefined) throw new Problem('SIGNATURE_REFUSED', fault);
    const message = parsed(text);
    if (!check.matches(message)) throw invalid(check.errors(message));
    const events = arrivedEvents(text, message.body.events);
    const received = await receiveEvents(database, events, clock());
    const { stored, duplicates, refused } = received;
    metrics.eventsReceived(received);
    if (refused.length > 0) log.warn({ refused: refused.length }, 'events were set aside');
    wake();
    return { stored, duplicates, refused: refused.length };
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem('NOT_JSON', 'the body is not JSON');
  }
}
