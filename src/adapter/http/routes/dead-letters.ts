/** `/v1.0/dead-letters`: what could not be applied, and another try for it. */
import Type from 'typebox';
import {
  type DeadLetter,
  findDeadLetter,
  listDeadLetters,
  markReplayed,
} from '../../dead-letters/index.js';
import {
  badCursor,
  describeRoute,
  type HttpContext,
  json,
  Nullable,
  page,
  pageOf,
  PageQuery,
  positionOf,
  type Server,
  Time,
} from '../context.js';
import { notFound } from '../problem.js';

const DeadLetterBody = Type.Object(
  {
    id: Type.String(),
    receivedAt: Time,
    topic: Type.String(),
    system_id: Nullable(Type.String()),
    vin: Nullable(Type.String()),
    messageId: Nullable(Type.String()),
    status: Type.Enum(['INVALID', 'EXPIRED', 'DEVICE_NOT_FOUND']),
    reason: Type.String({ description: 'Stable code, upper snake case.' }),
    path: Type.String({ description: 'JSON Pointer to the fault in the message.' }),
    detail: Type.String(),
    payload: Type.String({ description: 'Base64 of the bytes as they came.' }),
    payloadBytes: Type.Integer({ description: 'Before a payload over the limit was cut.' }),
    replayedAt: Nullable(Time),
  },
  { title: 'DeadLetter' },
);

const ReplayAnswer = Type.Object({
  outcome: Type.Enum(['applied', 'duplicate', 'refused'], {
    description: 'refused: the cause still stands; the dead letter is kept.',
  }),
  reason: Nullable(Type.String()),
});

const DeadLettersQuery = Type.Object({
  ...PageQuery.properties,
  reason: Type.Optional(Type.String({ description: 'Only with this reason code.' })),
  vin: Type.Optional(Type.String({ description: 'Only of this vehicle.' })),
});

const IdParams = Type.Object({ id: Type.String({ format: 'uuid' }) });
const tags = ['Dead letters'];

export function deadLetterRoutes(server: Server, context: HttpContext): void {
  const { database, clock } = context;

  server.get<{ Querystring: Type.Static<typeof DeadLettersQuery> }>(
    '/v1.0/dead-letters',
    describeRoute('read', {
      tags,
      summary: 'List dead letters, newest first',
      querystring: DeadLettersQuery,
      response: { 200: json(pageOf(DeadLetterBody), 'A page of dead letters.') },
    }),
    async ({ query: { limit, cursor, reason, vin } }) => {
      const before = parsePosition(positionOf(cursor));
      const rows = await listDeadLetters(database, {
        before,
        limit,
        reason,
        vin: vin?.toUpperCase(),
      });
      return page(rows, limit, (row) => `${row.received_at.getTime()} ${row.id}`, deadLetterBody);
    },
  );

  server.post<{ Params: Type.Static<typeof IdParams> }>(
    '/v1.0/dead-letters/:id/replay',
    describeRoute('control', {
      tags,
      summary: 'Take a dead letter once more, as if it had just arrived',
      params: IdParams,
      response: { 200: json(ReplayAnswer, 'What became of it.') },
    }),
    async ({ params: { id } }) => {
      const letter = await findDeadLetter(database, id);
      if (!letter) throw notFound('DEAD_LETTER_NOT_FOUND', `there is no dead letter ${id}`);
      const outcome = await context.ingestOne({
        topic: letter.topic,
        payload: letter.payload,
        // Its times were settled by its first arrival (contract section 5.3).
        receivedAt: letter.received_at.getTime(),
        publisher: null,
      });
      const [reason = null] = Object.keys(outcome.reasons);
      if (reason !== null) return { outcome: 'refused', reason };
      await markReplayed(database, id, clock());
      return { outcome: outcome.applied === 1 ? 'applied' : 'duplicate', reason: null };
    },
  );
}

function parsePosition(position: string | undefined) {
  if (position === undefined) return undefined;
  const [, ms, id] = /^(\d{1,15}) ([0-9a-f-]{36})$/.exec(position) ?? [];
  if (ms === undefined || id === undefined) throw badCursor();
  return { receivedAt: Number(ms), id };
}

function deadLetterBody(row: DeadLetter) {
  return {
    id: row.id,
    receivedAt: row.received_at,
    topic: row.topic,
    system_id: row.system_id,
    vin: row.vin,
    messageId: row.message_id,
    status: row.status,
    reason: row.reason,
    path: row.path,
    detail: row.detail,
    payload: Buffer.from(row.payload).toString('base64'),
    payloadBytes: row.payload_bytes,
    replayedAt: row.replayed_at,
  };
}
