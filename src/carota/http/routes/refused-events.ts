/** `/v1.0/refused-events`: events that could not be stored, and their replay. */
import { DEFAULT_REPLAY } from '../../../contract/index.js';
import {
  refusedEventApi,
  type RefusedEvent,
  type RefusedEventFilter,
} from '../../../contract/carota-api/index.js';
import { recordRequest } from '../../../service/audit/index.js';
import {
  callerOf,
  listCursor,
  page,
  Problem,
  serve,
  type Served,
  type Server,
  timeRange,
} from '../../../service/http/index.js';
import {
  findRefusedEvent,
  listRefusedEvents,
  type RefusedEventMatch,
  type RefusedEventRow,
  replay,
  replayMatching,
} from '../../events/index.js';
import { type CarotaContext } from '../context.js';

const REFUSED = listCursor('refused-events', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);

export function refusedEventRoutes(server: Server, context: CarotaContext): void {
  const { database, reading, clock, log, wake } = context;

  serve(server, refusedEventApi.listRefusedEvents, async ({ query }) => {
    const { limit, cursor, replayed, ...rest } = query;
    const filter = { ...filterOf(rest), replayed };
    const position = { order: 'newest', beyond: REFUSED.read(cursor), limit } as const;
    const { rows, isFull } = await listRefusedEvents(reading, filter, position);
    const size = isFull ? rows.length : limit;
    return page(rows, size, REFUSED, ({ id }) => id, refusedEventBody);
  });

  serve(server, refusedEventApi.replayRefusedEvent, async ({ request, params: { id }, body }) => {
    const event = await findRefusedEvent(database, id);
    if (!event) throw new Problem('REFUSED_EVENT_NOT_FOUND', `there is no refused event ${id}`);
    const { stored, refused, reasons } = await replay(database, [event], clock());
    const outcome = refused > 0 ? 'refused' : stored > 0 ? 'stored' : 'duplicate';
    const by = callerOf(request).name;
    await recordRequest(database, clock(), { detail: { outcome } });
    log.info({ by, why: body?.reason, id, outcome }, 'a refused event was replayed');
    wake();
    return { outcome, reason: reasons[0] ?? null } as const;
  });

  serve(server, refusedEventApi.replayRefusedEvents, async ({ request, body }) => {
    const { filter, limit = DEFAULT_REPLAY, reason: why } = body;
    const tally = await replayMatching(database, filterOf(filter), limit, clock);
    const by = callerOf(request).name;
    await recordRequest(database, clock(), { detail: { filter, ...tally } });
    log.info({ by, why, filter, ...tally }, 'refused events were replayed');
    wake();
    return tally;
  });
}

const filterOf = (filter: RefusedEventFilter): RefusedEventMatch => ({
  reason: filter.reason,
  vin: filter.vin?.toUpperCase(),
  refId: filter['ref-id'],
  ...timeRange(filter),
});

const refusedEventBody = (row: RefusedEventRow): Served<RefusedEvent> => ({
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
