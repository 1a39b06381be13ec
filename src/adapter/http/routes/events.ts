/** `/v1.0/ota/events`: the event stream, by polling or as Server-Sent Events. */
import { once } from 'node:events';
import { type ServerResponse } from 'node:http';
import { eventApi } from '../../../contract/adapter-api/index.js';
import { parseTimestamp, doWithin, type Scopes } from '../../../contract/index.js';
import { invalid, scopesOf, serve, type Server } from '../../../service/http/index.js';
import {
  eventBody,
  type EventFilter,
  positionBefore,
  pullEvents,
  readEvents,
} from '../../event-stream/index.js';
import { type HttpContext } from '../context.js';

/** A request examines up to this many events for each that it wants; only a filter makes it need more than one. */
const EXAMINED = 10;
const STREAM_WINDOW = 500;
/** Keeps both ends and intermediaries from considering the connection dead. */
const HEARTBEAT_MS = 15_000;

export function eventRoutes(server: Server, context: HttpContext): void {
  const { database, stream } = context;

  serve(server, eventApi.pullEvents, async ({ request, query, reply }) => {
    const after = await startOf(context, query.after, query.since);
    const filter = filterOf(query, scopesOf(request));
    if (query.wait > 0) {
      const ends = [disconnectSignal(reply.raw), context.stopping];
      await doWithin(query.wait * 1000, ends, (signal) => stream.beyond(after, signal));
    }
    const end = Math.min(stream.position, after + query.limit * EXAMINED);
    const { events, upto } = await pullEvents(database, after, end, query.limit, filter);
    return {
      events: events.map(eventBody),
      cursor: String(upto),
      more: stream.position > upto,
    };
  });

  serve(server, eventApi.streamEvents, async ({ request, query, headers, reply }) => {
    const last = headers['last-event-id'] ?? query.after;
    const after = last === undefined ? stream.position : Number(last);
    reply.hijack();
    await sendEvents(context, reply.raw, after, filterOf(query, scopesOf(request)));
  });
}

const filterOf = (query: { 'ref-id'?: string; vin?: string }, scopes: Scopes): EventFilter => ({
  scopes,
  refId: query['ref-id'],
  vin: query.vin?.toUpperCase(),
});

async function startOf(
  { database }: HttpContext,
  after: string | undefined,
  since: string | undefined,
): Promise<number> {
  if (after !== undefined && since !== undefined) {
    throw invalid([{ path: '/since', message: 'cannot be given together with after' }]);
  }
  return since === undefined ? Number(after ?? 0) : positionBefore(database, parseTimestamp(since));
}

/** Aborts when the client has disconnected or has its answer. */
function disconnectSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return gone.signal;
}

/** Writes no faster than the client reads; unread events stay in the database. */
async function sendEvents(
  { database, stream, stopping }: HttpContext,
  response: ServerResponse,
  start: number,
  filter: EventFilter,
): Promise<void> {
  const ended = AbortSignal.any([disconnectSignal(response), stopping]);
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    // Tells proxies not to buffer.
    'x-accel-buffering': 'no',
  });
  const write = async (text: string) => {
    if (!response.write(text)) await once(response, 'drain', { signal: ended });
  };
  try {
    await write(`retry: 1000\nid: ${start}\n\n`);
    for (let position = start; ;) {
      await doWithin(HEARTBEAT_MS, [ended], (signal) => stream.beyond(position, signal));
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
      // Even if nothing matched, so that a resume does not examine these events again.
      if (events.at(-1)?.position !== upto) text.push(`id: ${upto}\n\n`);
      await write(text.join(''));
      position = upto;
    }
  } catch {
    // The client disconnected, the adapter stops or the database is down: the client reconnects.
    response.end();
  }
}
