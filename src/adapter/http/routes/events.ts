/** `/v1.0/ota/events`: the event stream by pull, and live as Server-Sent Events. */
import { once } from 'node:events';
import { type ServerResponse } from 'node:http';
import Type from 'typebox';
import {
  describeRoute,
  invalid,
  json,
  type Server,
  ServerSentEvent,
} from '../../../service/http/index.js';
import {
  CallbackEvent,
  parseTimestamp,
  Pattern,
  Text,
  Timestamp,
  Vin,
} from '../../../contract/index.js';
import { eventBody, type EventFilter, placeBefore, readEvents } from '../../event-stream/index.js';
import { type HttpContext } from '../context.js';

const Cursor = Pattern('^[0-9]{1,15}$', 'must be the number of an event, 0 for the beginning', {
  description: 'Number of the last event that is known; 0: from the beginning.',
});

const Filter = Type.Object({
  'ref-id': Type.Optional(Text(256, 'Only of this operation.')),
  vin: Type.Optional(Vin),
});

const PullQuery = Type.Object({
  after: Type.Optional(Cursor),
  since: Type.Optional(
    Timestamp('Instead of `after`: from the first event received at this time on.'),
  ),
  limit: Type.Integer({ minimum: 1, maximum: 5_000, default: 500 }),
  wait: Type.Integer({
    minimum: 0,
    maximum: 60,
    default: 0,
    description: 'Seconds to wait for an event where there is none yet.',
  }),
  ...Filter.properties,
});

const Pulled = Type.Object({
  events: Type.Array(CallbackEvent),
  cursor: Type.String({ description: '`after` of the next call.' }),
  more: Type.Boolean({ description: 'Whether there are events after it already.' }),
});

const StreamQuery = Type.Object({
  after: Type.Optional(Cursor),
  ...Filter.properties,
});

const StreamHeaders = Type.Object({ 'last-event-id': Type.Optional(Cursor) });

type Pull = Type.Static<typeof PullQuery>;
type Stream = Type.Static<typeof StreamQuery>;
const tags = ['Events'];

/** With a filter, so many events are looked at for one that matches. */
const FILTERED_WINDOW = 10;
const STREAM_WINDOW = 500;
/** So that neither end nor anything between takes the connection for dead. */
const HEARTBEAT_MS = 15_000;

export function eventRoutes(server: Server, context: HttpContext): void {
  const { database, stream } = context;

  server.get<{ Querystring: Pull }>(
    '/v1.0/ota/events',
    describeRoute('read', {
      tags,
      summary: 'Pull events after a cursor, in the order in which they were committed',
      description:
        'The events of one vehicle are in the order in which they arrived. An event is here if and only if it was committed.',
      querystring: PullQuery,
      response: { 200: json(Pulled, 'Events, and the cursor after them.') },
    }),
    async ({ query }, reply) => {
      const after = await startOf(context, query.after, query.since);
      const filter = filterOf(query);
      if (query.wait > 0) {
        const timeout = AbortSignal.timeout(query.wait * 1000);
        const waiting = AbortSignal.any([left(reply.raw), context.stopping, timeout]);
        await stream.beyond(after, waiting);
      }
      const window = query.limit * (isFiltered(filter) ? FILTERED_WINDOW : 1);
      const upto = Math.max(after, Math.min(after + window, stream.position));
      const found = await readEvents(database, after, upto, filter);
      const events = found.events.slice(0, query.limit);
      const last = events.at(-1);
      const cursor = found.events.length > events.length && last ? last.position : found.upto;
      return {
        events: events.map(eventBody),
        cursor: String(cursor),
        more: stream.position > cursor,
      };
    },
  );

  server.get<{ Querystring: Stream; Headers: Type.Static<typeof StreamHeaders> }>(
    '/v1.0/ota/events/stream',
    describeRoute('read', {
      tags,
      summary: 'Events live, as Server-Sent Events',
      description:
        'Each has the cursor as its id. `Last-Event-ID`, else `after`, says after which one to begin; without either it begins with what comes next.',
      querystring: StreamQuery,
      headers: StreamHeaders,
      response: {
        200: {
          description: 'Server-Sent Events (WHATWG HTML, section 9.2) of type `ota-event`.',
          content: { 'text/event-stream': { schema: ServerSentEvent } },
        },
      },
    }),
    async (request, reply) => {
      const known = request.headers['last-event-id'] ?? request.query.after;
      const after = known === undefined ? stream.position : Number(known);
      reply.hijack();
      await sendEvents(context, reply.raw, after, filterOf(request.query));
    },
  );
}

const filterOf = (query: { 'ref-id'?: string; vin?: string }): EventFilter => ({
  refId: query['ref-id'],
  vin: query.vin?.toUpperCase(),
});

const isFiltered = ({ refId, vin }: EventFilter) => refId !== undefined || vin !== undefined;

async function startOf(
  { database }: HttpContext,
  after: string | undefined,
  since: string | undefined,
): Promise<number> {
  if (after !== undefined && since !== undefined) {
    throw invalid([{ path: '/since', message: 'cannot be given together with after' }]);
  }
  return since === undefined ? Number(after ?? 0) : placeBefore(database, parseTimestamp(since));
}

/** Aborts when the caller has gone, or has its answer. */
function left(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return gone.signal;
}

/** Writes no faster than the receiver reads: what it has not read stays in the database. */
async function sendEvents(
  { database, stream, stopping }: HttpContext,
  response: ServerResponse,
  start: number,
  filter: EventFilter,
): Promise<void> {
  const ended = AbortSignal.any([left(response), stopping]);
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    // Some proxies gather what they pass on, unless they are told.
    'x-accel-buffering': 'no',
  });
  const write = async (text: string) => {
    if (!response.write(text)) await once(response, 'drain', { signal: ended });
  };
  try {
    await write(`retry: 1000\nid: ${start}\n\n`);
    for (let position = start; ;) {
      const heartbeat = AbortSignal.any([ended, AbortSignal.timeout(HEARTBEAT_MS)]);
      await stream.beyond(position, heartbeat);
      ended.throwIfAborted();
      if (stream.position <= position) {
        await write(': still here\n\n');
        continue;
      }
      const wanted = Math.min(position + STREAM_WINDOW, stream.position);
      const { events, upto } = await readEvents(database, position, wanted, filter);
      const text = events.map(
        (event) =>
          `id: ${event.position}\nevent: ota-event\ndata: ${JSON.stringify(eventBody(event))}\n\n`,
      );
      // Also where nothing matched, so that a resume does not look through it again.
      if (events.at(-1)?.position !== upto) text.push(`id: ${upto}\n\n`);
      await write(text.join(''));
      position = upto;
    }
  } catch {
    // The receiver has gone, the adapter stops, or the database is away: it connects again.
    response.end();
  }
}
