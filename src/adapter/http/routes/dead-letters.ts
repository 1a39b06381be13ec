/** `/v1.0/dead-letters`: what could not be applied, and another try for it. */
import Type from 'typebox';
import {
  describeRoute,
  json,
  listCursor,
  notFound,
  Nullable,
  page,
  pageOf,
  PageQuery,
  Reason,
  type Server,
  Time,
  WithReason,
} from '../../../service/http/index.js';
import { parseTimestamp, Text, Timestamp, Vin } from '../../../contract/index.js';
import { recordAction } from '../../audit/index.js';
import {
  type DeadLetter,
  DEAD_LETTER_STATUSES,
  type DeadLetterFilter,
  findDeadLetter,
  listDeadLetters,
  replay,
  replayMatching,
} from '../../dead-letters/index.js';
import { actorOf, type HttpContext } from '../context.js';

const DeadLetterBody = Type.Object(
  {
    id: Type.String(),
    receivedAt: Time,
    topic: Type.String(),
    system_id: Nullable(Type.String()),
    vin: Nullable(Type.String()),
    messageId: Nullable(Type.String()),
    status: Type.Enum([...DEAD_LETTER_STATUSES]),
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

const FilterFields = {
  reason: Type.Optional(Text(100, 'Only with this reason code.')),
  status: Type.Optional(Type.Enum([...DEAD_LETTER_STATUSES])),
  vin: Type.Optional(Vin),
  system_id: Type.Optional(Text(256, 'Only of this vehicle.')),
  from: Type.Optional(Timestamp('Only received then or later.')),
  to: Type.Optional(Timestamp('Only received before.')),
};

const DeadLettersQuery = Type.Object({
  ...PageQuery.properties,
  ...FilterFields,
  replayed: Type.Optional(Type.Boolean({ description: 'Only those that were replayed, or not.' })),
});

const MAX_REPLAY = 10_000;
const USUAL_REPLAY = 1_000;
const ReplayMatching = Type.Object(
  {
    ...FilterFields,
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_REPLAY, description: '1,000 where none is given.' }),
    ),
    why: Type.Optional(Reason),
  },
  { additionalProperties: false },
);
const ReplayTally = Type.Object({
  applied: Type.Integer(),
  duplicate: Type.Integer(),
  refused: Type.Integer({ description: 'Their cause still stands; they are kept.' }),
  more: Type.Boolean({ description: 'Whether more match than the limit.' }),
});

interface FilterQuery {
  readonly reason?: string;
  readonly status?: string;
  readonly vin?: string;
  readonly system_id?: string;
  readonly from?: string;
  readonly to?: string;
}

const IdParams = Type.Object({ id: Type.String({ format: 'uuid' }) });
const tags = ['Dead letters'];
const LETTERS = listCursor(
  'dead-letters',
  /^\d{1,14} [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
);

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
    async ({ query: { limit, cursor, replayed, ...query } }) => {
      const before = parsePosition(LETTERS.read(cursor));
      const filter = { ...filterOf(query), replayed };
      const { letters, isFull } = await listDeadLetters(database, filter, { before, limit });
      const size = isFull ? letters.length : limit;
      const position = (row: DeadLetter) => `${row.received_at.getTime()} ${row.id}`;
      return page(letters, size, LETTERS, position, deadLetterBody);
    },
  );

  server.post<{
    Params: Type.Static<typeof IdParams>;
    Body: Type.Static<typeof WithReason> | undefined;
  }>(
    '/v1.0/dead-letters/:id/replay',
    describeRoute('control', {
      tags,
      summary: 'Process a dead letter again, as if it had just arrived',
      params: IdParams,
      body: WithReason,
      response: { 200: json(ReplayAnswer, 'What became of it.') },
    }),
    async (request) => {
      const { id } = request.params;
      const letter = await findDeadLetter(database, id);
      if (!letter) throw notFound('DEAD_LETTER_NOT_FOUND', `there is no dead letter ${id}`);
      const outcome = await replay(letter, context);
      const detail = { id, ...outcome };
      const by = actorOf(request, request.body?.reason);
      await recordAction(database, by, clock(), 'replay-dead-letters', { detail });
      return outcome;
    },
  );

  server.post<{ Body: Type.Static<typeof ReplayMatching> }>(
    '/v1.0/dead-letters/replay',
    describeRoute('control', {
      tags,
      summary: 'Process all that match again, once their cause is fixed',
      description: 'Those that were not replayed yet. Calling it again goes on with the rest.',
      body: ReplayMatching,
      response: { 200: json(ReplayTally, 'What became of them.') },
    }),
    async (request) => {
      const { limit = USUAL_REPLAY, why, ...query } = request.body;
      const tally = await replayMatching(filterOf(query), limit, context);
      const detail = { ...query, ...tally };
      await recordAction(database, actorOf(request, why), clock(), 'replay-dead-letters', {
        detail,
      });
      return tally;
    },
  );
}

const filterOf = (query: FilterQuery): DeadLetterFilter => ({
  reason: query.reason,
  status: query.status,
  vin: query.vin?.toUpperCase(),
  systemId: query.system_id,
  from: query.from === undefined ? undefined : parseTimestamp(query.from),
  to: query.to === undefined ? undefined : parseTimestamp(query.to),
});

function parsePosition(position: string | undefined) {
  const [ms, id] = position?.split(' ') ?? [];
  return ms === undefined || id === undefined ? undefined : { receivedAt: Number(ms), id };
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
