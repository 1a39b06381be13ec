/** `/v1.0/callbacks`: receivers of the event call-back (contract section 6). */
import Type from '../typebox.js';
import { empty, json, jsonBody, listOf, Nullable, Reason, routesOf, Time } from '../http/index.js';
import { Pattern } from '../values/pattern.js';
import { Timestamp } from '../values/timestamp.js';

const Url = Pattern('^https?://[^\\s]+$', 'must be a URL with https:// or http://', {
  maxLength: 2_048,
  description: 'URL to which batches are posted; https:// or http://.',
  examples: ['https://carota.example/v1.0/ota/events'],
});
const Secret = Pattern(
  '^whsec_(?:(?:[A-Za-z0-9+/]{4}){8,21}(?:[A-Za-z0-9+/][AQgw]==)?|(?:[A-Za-z0-9+/]{4}){8,20}[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)$',
  'must be whsec_ and base64 of 24 to 64 bytes',
  {
    maxLength: 100,
    description: 'Signing secret of Standard Webhooks: whsec_ and base64 of 24 to 64 bytes.',
  },
);
const Name = Pattern('^[A-Za-z0-9_ .-]+$', 'may contain only letters, digits, spaces and . _ -', {
  minLength: 1,
  maxLength: 100,
});
const After = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Start after the event with this number; 0: from the beginning.',
});

/** Body of a request that adds a receiver. */
export const NewReceiver = Type.Object(
  {
    name: Name,
    url: Url,
    secret: Type.Optional(Secret),
    after: Type.Optional(After),
    reason: Type.Optional(Reason),
  },
  {
    title: 'NewReceiver',
    additionalProperties: false,
    examples: [{ name: 'carota', url: 'https://carota.example/v1.0/ota/events' }],
  },
);
/** A value that fits the schema {@link NewReceiver}. */
export type NewReceiver = Type.Static<typeof NewReceiver>;

/** Body of a change of a receiver; absent members stay as they are. */
export const ReceiverChange = Type.Object(
  {
    url: Type.Optional(Url),
    enabled: Type.Optional(Type.Boolean()),
    secret: Type.Optional(Secret),
    newSecret: Type.Optional(
      Type.Literal(true, {
        description: 'Generate a new secret; the old one remains valid beside it for a day.',
      }),
    ),
    reason: Type.Optional(Reason),
  },
  { title: 'ReceiverChange', additionalProperties: false, minProperties: 1 },
);
/** A value that fits the schema {@link ReceiverChange}. */
export type ReceiverChange = Type.Static<typeof ReceiverChange>;

const ReplayFrom = Type.Object(
  {
    after: Type.Optional(After),
    since: Type.Optional(Timestamp('Start with the first event received at or after this time.')),
    reason: Type.Optional(Reason),
  },
  {
    title: 'ReplayFrom',
    additionalProperties: false,
    description: 'Exactly one of `after` and `since`.',
  },
);

/** A receiver of events, with its position and backlog; its secret is not shown. */
export const Receiver = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    url: Type.String(),
    enabled: Type.Boolean(),
    createdAt: Time,
    position: Type.Integer({ description: 'Number of the last event delivered.' }),
    behind: Type.Integer({ description: 'Events not yet delivered.' }),
    behindSince: Nullable(Time, 'When the oldest undelivered event was received.'),
    failures: Type.Integer({ description: 'Failed attempts of the current batch.' }),
    failedAt: Nullable(Time),
    failure: Nullable(Type.String(), 'Error of the latest attempt.'),
    nextTryAt: Nullable(Time),
    deliveredAt: Nullable(Time, 'When a batch was last delivered.'),
  },
  { title: 'Receiver' },
);
/** A value that fits the schema {@link Receiver}. */
export type Receiver = Type.Static<typeof Receiver>;

/** A receiver with its secret, which is shown only once. */
export const ReceiverWithSecret = Type.Object(
  {
    ...Receiver.properties,
    secret: Type.Optional(
      Type.String({ description: 'Present if the server generated the secret. Shown only once.' }),
    ),
  },
  { title: 'ReceiverWithSecret' },
);
/** A value that fits the schema {@link ReceiverWithSecret}. */
export type ReceiverWithSecret = Type.Static<typeof ReceiverWithSecret>;

const IdParams = Type.Object({
  id: Pattern('^[A-Za-z0-9_ .-]+$', 'may contain only letters, digits, spaces and . _ -', {
    minLength: 1,
    maxLength: 100,
    description: 'Id or name of the receiver.',
  }),
});

/** Routes for receivers of events. */
export const receiverApi = routesOf('Call-back', {
  listReceivers: {
    method: 'GET',
    path: '/v1.0/callbacks',
    permission: 'read',
    scope: 'unscoped-only',
    summary: 'List the receivers of events and their backlogs',
    answer: json(listOf(Receiver), 'All receivers.'),
  },
  addReceiver: {
    method: 'POST',
    path: '/v1.0/callbacks',
    permission: 'administer',
    scope: 'unscoped-only',
    audit: 'add-callback',
    summary: 'Add a receiver of events',
    body: jsonBody(NewReceiver, 'The receiver; without `after`, it starts with the next event.'),
    answer: json(ReceiverWithSecret, 'Added.', 201),
    errors: ['CALLBACK_EXISTS', 'SECRET_KEY_NOT_SET'],
  },
  getReceiver: {
    method: 'GET',
    path: '/v1.0/callbacks/{id}',
    permission: 'read',
    scope: 'unscoped-only',
    summary: 'Get a receiver',
    params: IdParams,
    answer: json(Receiver, 'The receiver.'),
    errors: ['CALLBACK_NOT_FOUND'],
  },
  changeReceiver: {
    method: 'PATCH',
    path: '/v1.0/callbacks/{id}',
    permission: 'administer',
    scope: 'unscoped-only',
    audit: 'change-callback',
    summary: 'Change the address or secret of a receiver, or switch it on or off',
    description: 'The next attempt follows immediately.',
    params: IdParams,
    body: jsonBody(ReceiverChange, 'The changes.'),
    answer: json(ReceiverWithSecret, 'Changed.'),
    errors: ['CALLBACK_NOT_FOUND', 'SECRET_KEY_NOT_SET'],
  },
  removeReceiver: {
    method: 'DELETE',
    path: '/v1.0/callbacks/{id}',
    permission: 'administer',
    scope: 'unscoped-only',
    audit: 'remove-callback',
    summary: 'Remove a receiver',
    params: IdParams,
    answer: empty('Removed.'),
    errors: ['CALLBACK_NOT_FOUND'],
  },
  replayEvents: {
    method: 'POST',
    path: '/v1.0/callbacks/{id}/replay',
    permission: 'administer',
    scope: 'unscoped-only',
    audit: 'replay-callback',
    summary: 'Replay events from a position or a point in time',
    params: IdParams,
    body: jsonBody(ReplayFrom, 'The starting point.'),
    answer: json(Receiver, 'The receiver at its new position.'),
    errors: ['CALLBACK_NOT_FOUND'],
  },
});
