/** `/v1.0/callbacks`: receivers of the event call-back (contract section 6). */
import Type from 'typebox';
import {
  describeRoute,
  empty,
  invalid,
  json,
  notFound,
  Nullable,
  Problem,
  Reason,
  type Server,
  Time,
} from '../../../service/http/index.js';
import { recordAction } from '../../audit/index.js';
import {
  addReceiver,
  changeReceiver,
  findReceiver,
  ForbiddenAddress,
  isSigningSecret,
  listReceivers,
  moveReceiver,
  newSigningSecret,
  type Receiver,
  removeReceiver,
} from '../../call-back/index.js';
import { parseTimestamp, Pattern, Timestamp } from '../../../contract/index.js';
import { placeBefore } from '../../event-stream/index.js';
import { actorOf, type HttpContext } from '../context.js';

const Url = Pattern('^https?://[^\\s]+$', 'must be a URL with https:// or http://', {
  maxLength: 2_048,
  description: 'Where batches are posted to; https:// or http://.',
});
const Secret = Pattern(
  '^whsec_(?:(?:[A-Za-z0-9+/]{4}){8,21}(?:[A-Za-z0-9+/][AQgw]==)?|(?:[A-Za-z0-9+/]{4}){8,20}[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)$',
  'must be whsec_ and base64 of 24 to 64 bytes',
  {
    maxLength: 100,
    description: 'Signing secret of Standard Webhooks: whsec_ and base64 of 24 to 64 bytes.',
  },
);
const Name = Pattern('^[A-Za-z0-9_ .-]+$', 'must have only letters, digits, spaces and . _ -', {
  minLength: 1,
  maxLength: 100,
});
const After = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Number of the last event that it is not told; 0: it is told all there are.',
});

const NewCallback = Type.Object(
  {
    name: Name,
    url: Url,
    secret: Type.Optional(Secret),
    after: Type.Optional(After),
    reason: Type.Optional(Reason),
  },
  { additionalProperties: false },
);
const Change = Type.Object(
  {
    url: Type.Optional(Url),
    enabled: Type.Optional(Type.Boolean()),
    secret: Type.Optional(Secret),
    newSecret: Type.Optional(
      Type.Literal(true, { description: 'Makes a new secret; the old one signs too for a day.' }),
    ),
    reason: Type.Optional(Reason),
  },
  { additionalProperties: false, minProperties: 1 },
);
const Replay = Type.Object(
  {
    after: Type.Optional(After),
    since: Type.Optional(Timestamp('From the first event received then on.')),
    reason: Type.Optional(Reason),
  },
  { additionalProperties: false },
);

export const Callback = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    url: Type.String(),
    enabled: Type.Boolean(),
    createdAt: Time,
    position: Type.Integer({ description: 'Number of the last event that was settled.' }),
    behind: Type.Integer({ description: 'Events that it has not got yet.' }),
    behindSince: Nullable(Time),
    failures: Type.Integer({ description: 'Tries of the present batch that failed.' }),
    failedAt: Nullable(Time),
    failure: Nullable(Type.String()),
    nextTryAt: Nullable(Time),
    settledAt: Nullable(Time),
  },
  { title: 'Callback' },
);
const CallbackWithSecret = Type.Object(
  {
    ...Callback.properties,
    secret: Type.Optional(Type.String({ description: 'Told once, when it was made here.' })),
  },
  { title: 'CallbackWithSecret' },
);

const IdParams = Type.Object({
  id: Name,
});
type Id = Type.Static<typeof IdParams>;
const tags = ['Call-back'];

export function callbackRoutes(server: Server, context: HttpContext): void {
  const { database, clock } = context;

  server.get(
    '/v1.0/callbacks',
    describeRoute('read', {
      tags,
      summary: 'Receivers of events, and how far behind each is',
      response: { 200: json(Type.Object({ items: Type.Array(Callback) }), 'All receivers.') },
    }),
    async () => ({ items: (await listReceivers(database)).map(callbackBody) }),
  );

  server.post<{ Body: Type.Static<typeof NewCallback> }>(
    '/v1.0/callbacks',
    describeRoute('administer', {
      tags,
      summary: 'Add a receiver',
      body: NewCallback,
      response: { 201: json(CallbackWithSecret, 'Added.') },
    }),
    async (request, reply) => {
      const { reason, ...given } = request.body;
      // Ahead of the stream it would miss what comes next.
      const after = given.after && Math.min(given.after, context.stream.position);
      const receiver = { ...given, after };
      checkUrl(context, receiver.url);
      checkSecret(receiver.secret);
      const now = clock();
      const added = await database.transaction(async (tx) => {
        const result = await addReceiver(tx, receiver, now);
        const { name, url } = receiver;
        const detail = { name, url };
        if (result)
          await recordAction(tx, actorOf(request, reason), now, 'add-callback', { detail });
        return result;
      });
      if (!added) {
        throw new Problem(409, 'CALLBACK_EXISTS', `there is a receiver '${receiver.name}' already`);
      }
      const body = callbackBody(await receiverOf(context, added.id));
      return reply
        .code(201)
        .send(receiver.secret === undefined ? { ...body, secret: added.secret } : body);
    },
  );

  server.get<{ Params: Id }>(
    '/v1.0/callbacks/:id',
    describeRoute('read', {
      tags,
      summary: 'One receiver',
      params: IdParams,
      response: { 200: json(Callback, 'The receiver.') },
    }),
    async ({ params }) => callbackBody(await receiverOf(context, params.id)),
  );

  server.patch<{ Params: Id; Body: Type.Static<typeof Change> }>(
    '/v1.0/callbacks/:id',
    describeRoute('administer', {
      tags,
      summary: 'Change address or secret, switch off and on; it is tried at once',
      params: IdParams,
      body: Change,
      response: { 200: json(CallbackWithSecret, 'Changed.') },
    }),
    async (request) => {
      const { reason, newSecret, ...given } = request.body;
      if (given.url !== undefined) checkUrl(context, given.url);
      checkSecret(given.secret);
      const { id, name } = await receiverOf(context, request.params.id);
      const made = newSecret ? newSigningSecret() : undefined;
      const secret = given.secret ?? made;
      const now = clock();
      await database.transaction(async (tx) => {
        await changeReceiver(tx, id, { ...given, secret }, now);
        const { url, enabled } = given;
        const detail = { name, url, enabled, secret: secret !== undefined };
        await recordAction(tx, actorOf(request, reason), now, 'change-callback', { detail });
      });
      const body = callbackBody(await receiverOf(context, id));
      return made === undefined ? body : { ...body, secret: made };
    },
  );

  server.delete<{ Params: Id }>(
    '/v1.0/callbacks/:id',
    describeRoute('administer', {
      tags,
      summary: 'Remove a receiver',
      params: IdParams,
      response: { 204: empty('Removed.') },
    }),
    async (request, reply) => {
      const { id, name, url } = await receiverOf(context, request.params.id);
      const now = clock();
      await database.transaction(async (tx) => {
        await removeReceiver(tx, id);
        const detail = { name, url };
        await recordAction(tx, actorOf(request), now, 'remove-callback', { detail });
      });
      return reply.code(204).send();
    },
  );

  server.post<{ Params: Id; Body: Type.Static<typeof Replay> }>(
    '/v1.0/callbacks/:id/replay',
    describeRoute('administer', {
      tags,
      summary: 'Tell it again what came after an event, or from a point in time on',
      params: IdParams,
      body: Replay,
      response: { 200: json(Callback, 'The receiver, at its new place.') },
    }),
    async (request) => {
      const { after, since, reason } = request.body;
      if ((after === undefined) === (since === undefined)) {
        throw invalid([{ path: '', message: 'must have either after or since' }]);
      }
      const { id, name, position: before } = await receiverOf(context, request.params.id);
      const now = clock();
      const wanted = after ?? (await placeBefore(database, parseTimestamp(since ?? '')));
      const position = Math.min(wanted, context.stream.position);
      await database.transaction(async (tx) => {
        await moveReceiver(tx, id, position, now);
        const detail = { name, before, after: position };
        await recordAction(tx, actorOf(request, reason), now, 'replay-callback', { detail });
      });
      return callbackBody(await receiverOf(context, id));
    },
  );
}

async function receiverOf({ database }: HttpContext, id: string): Promise<Receiver> {
  const receiver = await findReceiver(database, id);
  if (!receiver) throw notFound('CALLBACK_NOT_FOUND', `there is no receiver '${id}'`);
  return receiver;
}

function checkUrl({ checkCallbackUrl }: HttpContext, url: string): void {
  const bad = (message: string) => invalid([{ path: '/url', message }]);
  if (!URL.canParse(url)) throw bad('is not a URL');
  const { username, password } = new URL(url);
  if (username !== '' || password !== '') throw bad('must not have a user name or password');
  try {
    checkCallbackUrl(url);
  } catch (error) {
    if (error instanceof ForbiddenAddress) throw bad(error.message);
    throw error;
  }
}

function checkSecret(secret: string | undefined): void {
  if (secret !== undefined && !isSigningSecret(secret)) {
    throw invalid([{ path: '/secret', message: 'must be whsec_ and base64 of 24 to 64 bytes' }]);
  }
}

export const callbackBody = (receiver: Receiver) => ({
  id: receiver.id,
  name: receiver.name,
  url: receiver.url,
  enabled: receiver.enabled,
  createdAt: receiver.created_at,
  position: receiver.position,
  behind: receiver.behind,
  behindSince: receiver.behind_since,
  failures: receiver.failures,
  failedAt: receiver.failed_at,
  failure: receiver.failure,
  nextTryAt: receiver.failures > 0 ? receiver.due_at : null,
  settledAt: receiver.settled_at,
});
