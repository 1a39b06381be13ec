/** `/v1.0/callbacks`: receivers of the event call-back (contract section 6). */
import { type Receiver, receiverApi } from '../../../contract/adapter-api/index.js';
import { parseTimestamp } from '../../../contract/index.js';
import {
  actorOf,
  invalid,
  needSecretKey,
  Problem,
  serve,
  type Served,
  type Server,
} from '../../../service/http/index.js';
import { recordAction } from '../../audit/index.js';
import {
  addReceiver,
  changeReceiver,
  findReceiver,
  listReceivers,
  moveReceiver,
  type ReceiverRow,
  removeReceiver,
} from '../../call-back/index.js';
import {
  ForbiddenAddress,
  isSigningSecret,
  newSigningSecret,
} from '../../../service/outgoing/index.js';
import { positionBefore } from '../../event-stream/index.js';
import { type HttpContext } from '../context.js';

export function receiverRoutes(server: Server, context: HttpContext): void {
  const { database, clock } = context;

  serve(server, receiverApi.listReceivers, async () => ({
    items: (await listReceivers(database)).map(receiverBody),
  }));

  serve(server, receiverApi.addReceiver, async ({ request, body }) => {
    const { reason, ...given } = body;
    // A position ahead of the stream would skip future events.
    const after = given.after && Math.min(given.after, context.stream.position);
    const receiver = { ...given, after };
    checkUrl(context, receiver.url);
    checkSecret(receiver.secret);
    needSecretKey(context.box);
    const now = clock();
    const added = await database.transaction(async (tx) => {
      const result = await addReceiver(tx, receiver, now, context.box);
      const { name, url } = receiver;
      const detail = { name, url };
      if (result) await recordAction(tx, actorOf(request, reason), now, 'add-callback', { detail });
      return result;
    });
    if (!added) {
      throw new Problem('CALLBACK_EXISTS', `there is a receiver '${receiver.name}' already`);
    }
    const stored = receiverBody(await receiverOf(context, added.id));
    return receiver.secret === undefined ? { ...stored, secret: added.secret } : stored;
  });

  serve(server, receiverApi.getReceiver, async ({ params }) =>
    receiverBody(await receiverOf(context, params.id)),
  );

  serve(server, receiverApi.changeReceiver, async ({ request, params, body }) => {
    const { reason, newSecret, ...given } = body;
    if (given.url !== undefined) checkUrl(context, given.url);
    checkSecret(given.secret);
    const { id, name } = await receiverOf(context, params.id);
    const made = newSecret ? newSigningSecret() : undefined;
    const secret = given.secret ?? made;
    if (secret !== undefined) needSecretKey(context.box);
    const now = clock();
    await database.transaction(async (tx) => {
      await changeReceiver(tx, id, { ...given, secret }, now, context.box);
      const { url, enabled } = given;
      const detail = { name, url, enabled, secret: secret !== undefined };
      await recordAction(tx, actorOf(request, reason), now, 'change-callback', { detail });
    });
    const stored = receiverBody(await receiverOf(context, id));
    return made === undefined ? stored : { ...stored, secret: made };
  });

  serve(server, receiverApi.removeReceiver, async ({ request, params }) => {
    const { id, name, url } = await receiverOf(context, params.id);
    const now = clock();
    await database.transaction(async (tx) => {
      await removeReceiver(tx, id);
      const detail = { name, url };
      await recordAction(tx, actorOf(request), now, 'remove-callback', { detail });
    });
  });

  serve(server, receiverApi.replayEvents, async ({ request, params, body }) => {
    const { after, since, reason } = body;
    if ((after === undefined) === (since === undefined)) {
      throw invalid([{ path: '', message: 'must have either after or since' }]);
    }
    const { id, name, position: before } = await receiverOf(context, params.id);
    const now = clock();
    const wanted = after ?? (await positionBefore(database, parseTimestamp(since ?? '')));
    const position = Math.min(wanted, context.stream.position);
    await database.transaction(async (tx) => {
      await moveReceiver(tx, id, position, now);
      const detail = { name, before, after: position };
      await recordAction(tx, actorOf(request, reason), now, 'replay-callback', { detail });
    });
    return receiverBody(await receiverOf(context, id));
  });
}

async function receiverOf({ database }: HttpContext, id: string): Promise<ReceiverRow> {
  const receiver = await findReceiver(database, id);
  if (!receiver) throw new Problem('CALLBACK_NOT_FOUND', `there is no receiver '${id}'`);
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

export const receiverBody = (receiver: ReceiverRow): Served<Receiver> => ({
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
  deliveredAt: receiver.settled_at,
});
