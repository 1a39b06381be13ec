/** `/v1.0/dead-letters`: messages that could not be applied, and their replay. */
import {
  type DeadLetter,
  deadLetterApi,
  type DeadLetterFilter,
} from '../../../contract/adapter-api/index.js';
import { DEFAULT_REPLAY } from '../../../contract/index.js';
import {
  actorOf,
  listCursor,
  page,
  Problem,
  serve,
  type Served,
  type Server,
  timeRange,
} from '../../../service/http/index.js';
import { recordAction } from '../../audit/index.js';
import {
  type DeadLetterMatch,
  type DeadLetterRow,
  findDeadLetter,
  listDeadLetters,
  replay,
  replayMatching,
} from '../../dead-letters/index.js';
import { type HttpContext } from '../context.js';

const LETTERS = listCursor(
  'dead-letters',
  /^\d{1,14} [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
);

export function deadLetterRoutes(server: Server, context: HttpContext): void {
  const { database, clock } = context;

  serve(server, deadLetterApi.listDeadLetters, async ({ query }) => {
    const { limit, cursor, replayed, ...filter } = query;
    const before = parsePosition(LETTERS.read(cursor));
    const match = { ...matchOf(filter), replayed };
    const { rows, isFull } = await listDeadLetters(context.reading, match, { before, limit });
    const size = isFull ? rows.length : limit;
    const position = (row: DeadLetterRow) => `${row.received_at.getTime()} ${row.id}`;
    return page(rows, size, LETTERS, position, deadLetterBody);
  });

  serve(server, deadLetterApi.replayDeadLetter, async ({ request, params: { id }, body }) => {
    const letter = await findDeadLetter(database, id);
    if (!letter) throw new Problem('DEAD_LETTER_NOT_FOUND', `there is no dead letter ${id}`);
    const outcome = await replay(letter, context);
    const detail = { id, ...outcome };
    const by = actorOf(request, body?.reason);
    await recordAction(database, by, clock(), 'replay-dead-letters', { detail });
    return outcome;
  });

  serve(server, deadLetterApi.replayDeadLetters, async ({ request, body }) => {
    const { filter, limit = DEFAULT_REPLAY, reason } = body;
    const tally = await replayMatching(matchOf(filter), limit, context);
    const detail = { ...filter, ...tally };
    const by = actorOf(request, reason);
    await recordAction(database, by, clock(), 'replay-dead-letters', { detail });
    return tally;
  });
}

const matchOf = (filter: DeadLetterFilter): DeadLetterMatch => ({
  reason: filter.reason,
  status: filter.status,
  vin: filter.vin?.toUpperCase(),
  systemId: filter.system_id,
  ...timeRange(filter),
});

function parsePosition(position: string | undefined) {
  const [ms, id] = position?.split(' ') ?? [];
  return ms === undefined || id === undefined ? undefined : { receivedAt: Number(ms), id };
}

const deadLetterBody = (row: DeadLetterRow): Served<DeadLetter> => ({
  id: row.id,
  'received-at': row.received_at,
  topic: row.topic,
  system_id: row.system_id,
  vin: row.vin,
  message_id: row.message_id,
  status: row.status,
  reason: row.reason,
  path: row.path,
  detail: row.detail,
  payload: Buffer.from(row.payload).toString('base64'),
  payloadBytes: row.payload_bytes,
  replayedAt: row.replayed_at,
});
