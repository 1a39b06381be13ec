/** `/v1.0/refused-events`: events that were called back and could not be taken, and another try for them. */
import Type from 'typebox';
import { OptionalIdentifier, parseTimestamp, Timestamp, Vin } from '../../../contract/index.js';
import {
  callerOf,
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
} from '../../../service/http/index.js';
import {
  findRefusedEvent,
  listRefusedEvents,
  type RefusedEvent,
  type RefusedEventFilter,
  REFUSAL_REASONS,
  replay,
  replayMatching,
} from '../../events/index.js';
import { type CarotaContext } from '../context.js';

const RefusedEventBody = Type.Object(
  {
    id: Type.String(),
    refusedAt: Time,
    'event-id': Nullable(Type.String()),
    'ref-id': Nullable(Type.String()),
    vin: Nullable(Type.String()),
    reason: Type.Enum([...REFUSAL_REASONS]),
    path: Type.String({ description: 'JSON Pointer to the fault in the event.' }),
    detail: Type.String(),
    event: Type.String({ description: 'JSON text as it came.' }),
    replayedAt: Nullable(Time),
  },
  { title: 'RefusedEvent' },
);

const FilterFields = {
  reason: Type.Optional(
    Type.Enum([...REFUSAL_REASONS], {
      description:
        'INVALID_EVENT: not an event of the contract; REFUSED_BY_DATABASE; NOT_APPLIED: what follows from it could not be worked out.',
    }),
  ),
  vin: Type.Optional(Vin),
  'ref-id': Type.Optional(OptionalIdentifier('Only of this schedule.')),
  from: Type.Optional(Timestamp('Only put aside then or later.')),
  to: Type.Optional(Timestamp('Only put aside before.')),
};

const RefusedEventsQuery = Type.Object({
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

const ReplayAnswer = Type.Object({
  outcome: Type.Enum(['stored', 'duplicate', 'refused'], {
    description: 'refused: the cause still stands; the event stays here.',
  }),
  reason: Nullable(Type.Enum([...REFUSAL_REASONS])),
});
const ReplayTally = Type.Object({
  stored: Type.Integer(),
  duplicate: Type.Integer(),
  refused: Type.Integer({ description: 'Their cause still stands; they stay here.' }),
  more: Type.Boolean({ description: 'Whether more match than the limit.' }),
});

const IdParams = Type.Object({ id: Type.String({ format: 'uuid' }) });
const tags = ['Refused events'];
const REFUSED = listCursor('refused-events', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);

export function refusedEventRoutes(server: Server, context: CarotaContext): void {
  const { database, clock, log, wake } = context;

  server.get<{ Querystring: Type.Static<typeof RefusedEventsQuery> }>(
    '/v1.0/refused-events',
    describeRoute('read', {
      tags,
      summary: 'List events that were put aside, newest first',
      querystring: RefusedEventsQuery,
      response: { 200: json(pageOf(RefusedEventBody), 'A page of refused events.') },
    }),
    async ({ query: { limit, cursor, replayed, ...query } }) => {
      const beyond = REFUSED.read(cursor);
      const filter = { ...filterOf(query), replayed };
      const { events, isFull } = await listRefusedEvents(database, filter, {
        order: 'newest',
        beyond,
        limit,
      });
      const size = isFull ? events.length : limit;
      return page(events, size, REFUSED, ({ id }) => id, refusedEventBody);
    },
  );

  server.post<{ Params: Type.Static<typeof IdParams> }>(
    '/v1.0/refused-events/:id/replay',
    describeRoute('plan', {
      tags,
      summary: 'Take an event once more, as if it had just been called back',
      params: IdParams,
      response: { 200: json(ReplayAnswer, 'What became of it.') },
    }),
    async (request) => {
      const { id } = request.params;
      const event = await findRefusedEvent(database, id);
      if (!event) throw notFound('REFUSED_EVENT_NOT_FOUND', `there is no refused event ${id}`);
      const { stored, refused, reasons } = await replay(database, [event], clock());
      const outcome = refused > 0 ? 'refused' : stored > 0 ? 'stored' : 'duplicate';
      log.info({ by: callerOf(request).name, id, outcome }, 'a refused event was replayed');
      wake();
      return { outcome, reason: reasons[0] ?? null };
    },
  );

  server.post<{ Body: Type.Static<typeof ReplayMatching> }>(
    '/v1.0/refused-events/replay',
    describeRoute('plan', {
      tags,
      summary: 'Take all that match once more, after their cause was fixed',
      description: 'Those that were not replayed yet, oldest first. Calling it again goes on.',
      body: ReplayMatching,
      response: { 200: json(ReplayTally, 'What became of them.') },
    }),
    async (request) => {
      const { limit = USUAL_REPLAY, why, ...query } = request.body;
      const tally = await replayMatching(database, filterOf(query), limit, clock);
      log.info(
        { by: callerOf(request).name, why, ...query, ...tally },
        'refused events were replayed',
      );
      wake();
      return tally;
    },
  );
}

interface FilterQuery {
  readonly reason?: string;
  readonly vin?: string;
  readonly 'ref-id'?: string;
  readonly from?: string;
  readonly to?: string;
}

const filterOf = (query: FilterQuery): RefusedEventFilter => ({
  reason: query.reason,
  vin: query.vin?.toUpperCase(),
  refId: query['ref-id'],
  from: query.from === undefined ? undefined : parseTimestamp(query.from),
  to: query.to === undefined ? undefined : parseTimestamp(query.to),
});

const refusedEventBody = (row: RefusedEvent) => ({
  id: row.id,
  refusedAt: row.refused_at,
  'event-id': row.event_id,
  'ref-id': row.ref_id,
  vin: row.vin,
  reason: row.reason,
  path: row.path,
  detail: row.detail,
  event: row.event,
  replayedAt: row.replayed_at,
});
