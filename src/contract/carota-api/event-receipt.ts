/** `POST /v1.0/ota/events`: receives the adapter's event call-back (contract section 6). */
import Type from '../typebox.js';
import { json, routesOf, signedJsonBody } from '../http/index.js';
import { Pattern } from '../values/pattern.js';
import { StorableText } from '../values/text.js';
import { CallbackEvent, CallbackMessage } from './event-call-back.js';

/** Largest batch, bytes; the adapter's are a megabyte. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;

/** Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
export const SignatureHeaders = Type.Object({
  'webhook-id': Type.String({
    minLength: 1,
    maxLength: 256,
    description: 'Id of the batch; unchanged in retries.',
  }),
  'webhook-timestamp': Pattern('^[0-9]{1,12}$', 'must be Unix seconds', {
    description:
      'When this attempt was sent, Unix seconds; at most five minutes off the server’s clock.',
  }),
  'webhook-signature': Type.String({
    minLength: 1,
    maxLength: 4_096,
    description:
      'Signatures separated by spaces, each `v1,` and the base64 HMAC-SHA-256 of `<id>.<timestamp>.<body>`; one that matches suffices.',
    examples: ['v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='],
  }),
});
export type SignatureHeaders = Type.Static<typeof SignatureHeaders>;

/** An event as it is received. */
export const ReceivedEvent = Type.Object(
  {
    ...CallbackEvent.properties,
    'status-name': StorableText(
      'Its name. `status` alone counts: an adapter of another release may know further names.',
    ),
  },
  { title: 'ReceivedEvent' },
);
export type ReceivedEvent = Type.Static<typeof ReceivedEvent>;

const ReceivedMessage = Type.Object(
  {
    ...CallbackMessage.properties,
    body: Type.Object({ events: Type.Array(ReceivedEvent) }),
  },
  { title: 'ReceivedMessage' },
);

/** Outcome of a batch of events, counted. */
export const ReceivedEvents = Type.Object(
  {
    stored: Type.Integer({ description: 'New events.' }),
    duplicates: Type.Integer({ description: 'Events received before; they change nothing.' }),
    refused: Type.Integer({
      description: 'Events set aside with a reason; see /v1.0/refused-events.',
    }),
  },
  { title: 'ReceivedEvents' },
);
/** A value that fits the schema {@link ReceivedEvents}. */
export type ReceivedEvents = Readonly<Type.Static<typeof ReceivedEvents>>;

/** Route of the call-back: events from the OTA Adapter. */
export const eventReceiptApi = routesOf('Call-back', {
  receiveEvents: {
    method: 'POST',
    path: '/v1.0/ota/events',
    permission: 'open',
    scope: 'none',
    unaudited: 'signed by the adapter; each event is kept',
    summary: 'Receive the events that the OTA Adapter calls back',
    description:
      'Signed with Standard Webhooks; the signature is the permission. Events are idempotent by `event-id`. An event that cannot be stored is set aside and does not delay the others.',
    headers: SignatureHeaders,
    body: signedJsonBody(ReceivedMessage, 'A batch of events.', MAX_BATCH_BYTES),
    answer: json(ReceivedEvents, 'The batch is settled.'),
    errors: ['SIGNATURE_REFUSED', 'NOT_JSON'],
    repeatable: true,
  },
});
