/** `/v1.0/health`: adapters, database, brokers and call-backs, for people; `/metrics` is for machines. */
import { type AdapterHealth, healthApi } from '../../../contract/adapter-api/index.js';
import { serve, type Served, type Server } from '../../../service/http/index.js';
import { overdueTriggers } from '../../c2d-sender/index.js';
import { listReceivers } from '../../call-back/index.js';
import { type AdapterRow, HEARTBEAT_MS, listAdapters } from '../../group/index.js';
import { messageTotals } from '../../metrics/index.js';
import { type HttpContext } from '../context.js';
import { receiverBody } from './receivers.js';

/** After missing this many heartbeats, an adapter is considered dead. */
const MISSED = 5;

export function healthRoute(server: Server, { database, clock }: HttpContext): void {
  serve(server, healthApi.getHealth, async () => {
    const now = clock();
    const started = performance.now();
    const [row] = await database.query<{ server: string; bytes: number; rate: number | null }>(
      `select version() as server, pg_database_size(current_database()) as bytes,
         (select trigger_rate from adapter_group) as rate`,
    );
    const answeredIn = performance.now() - started;
    const messages = await messageTotals(database);
    const { operations, oldest } = await overdueTriggers(database, now);
    return {
      at: new Date(now),
      database: {
        server: (row?.server ?? '').split(' ').slice(0, 2).join(' '),
        bytes: row?.bytes ?? 0,
        answeredIn,
      },
      adapters: (await listAdapters(database, now)).map((adapter) => adapterBody(adapter, now)),
      messages,
      sending: {
        operations,
        overdueSeconds: oldest === undefined ? 0 : Math.max(0, now - oldest) / 1000,
        triggersPerSecond: row?.rate ?? null,
      },
      callbacks: (await listReceivers(database)).map(receiverBody),
    };
  });
}

const adapterBody = (row: AdapterRow, now: number): Served<AdapterHealth> => ({
  instance: row.instance,
  version: row.version,
  startedAt: row.started_at,
  seenAt: row.seen_at,
  alive: now - row.seen_at.getTime() < MISSED * HEARTBEAT_MS,
  broker: row.broker,
  connected: row.connected,
  subscribed: row.subscribed,
  queued: row.waiting,
  receivedPerSecond: row.received,
  triggeredPerSecond: row.triggered,
});
