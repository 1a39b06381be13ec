/** What the history costs: events/s and write-ahead log of an event, with more and more earlier messages. */
import { performance } from 'node:perf_hooks';
import pg from 'pg';
import { EVENT_STATUS, lifecycleRank } from '../contract/index.js';
import { eventsEndToEnd } from './events.js';
import { type Rig } from './rig.js';

export interface HistoryCost {
  /** Earlier messages. */
  readonly messages: number;
  readonly perSecond: number;
  /** Bytes of write-ahead log of an event. */
  readonly wal: number;
}

/** Messages of each vehicle in an earlier operation. */
const MESSAGES = 10;
const WEEKS = 52;

/**
 * One operation of long ago: its vehicles, as they stand when they have finished, and their messages. As
 * far as a release has the columns and tables for it.
 */
const FILL = /* sql */ `
do $fill$
declare
  operation bigint;
  began timestamptz := now() - interval '1 week' * (1 + NUMBER % ${WEEKS});
begin
  perform ensure_partitions('messages', began, began);
  insert into operations (ref_id, model, script_ref_id, ttl, ack_required, scheduled_at, created_at, created_by)
  values ('earlier-NUMBER', 'm', 's', -1, true, began, began, 'bench') returning id into operation;

  insert into deliveries (operation_id, vin, trigger_id, triggered_at, delivery, sends, acknowledged_at,
    state, reported, updated_at)
  select operation, vin, gen_random_uuid(), began, 'acknowledged', 1, began, 'success',
    row(began, ${lifecycleRank(EVENT_STATUS.success)}, 'msg-dev-' || gen_random_uuid(), 'success')::event_position, began
  from vehicles order by vin;

  insert into messages (received_at, event_at, operation_id, attempt, vin, system_id, sub_system_id,
    message_id, correlation_id, status, device_id, device_type, meta, batch, nr)
  select began, began, operation, 1, v.vin, v.system_id, '', 'msg-dev-' || gen_random_uuid(),
    'msg-cld-' || d.trigger_id, 3, 'device1234', 'TCU', '[{"key":"download","value":"40%"}]',
    -operation, row_number() over ()
  from vehicles v
  join deliveries d on d.operation_id = operation and d.vin = v.vin
  cross join generate_series(1, ${MESSAGES}) n
  order by v.vin;

  insert into operation_counters (operation_id, shard, state, paused, vehicles)
  select operation, 0, 'success', false, count(*) from vehicles;

  if to_regclass('message_digests') is not null then
    insert into message_digests select gen_random_uuid() from generate_series(1, ${MESSAGES} *
      (select count(*) from vehicles));
  else
    update deliveries d set digests = array(
      select gen_random_uuid() from generate_series(1, ${MESSAGES}) where d.vin <> ''
    ) where operation_id = operation;
  end if;
end $fill$`;

/**
 * Events of a new operation for each size, on one and the same database.
 *
 * @param sizes earlier messages, the fewest first
 * @param tell hears how far the filling is
 */
export async function historyCosts(
  rig: Rig,
  sizes: readonly number[],
  vehicles: number,
  { events, rounds, tell }: { events: number; rounds: number; tell: (line: string) => void },
): Promise<HistoryCost[]> {
  const client = new pg.Client(rig.databaseUrl);
  await client.connect();
  try {
    const vins = await rig.register(vehicles);
    const costs: HistoryCost[] = [];
    let operations = 0;
    for (const messages of sizes) {
      const started = performance.now();
      for (; operations * vehicles * MESSAGES < messages; operations++) {
        await client.query(FILL.replaceAll('NUMBER', String(operations)));
      }
      tell(
        `  ${messages} earlier messages after ${Math.round((performance.now() - started) / 1000)} s`,
      );
      await client.query('vacuum analyze');
      await client.query('checkpoint');
      const refId = `after-${messages}`;
      await rig.connectLoad(refId, await rig.pausedOperation(refId, vins), vehicles);
      const before = await walBytes(client);
      const { perSecond } = await eventsEndToEnd(rig, { from: 0, events, rounds });
      const wal = ((await walBytes(client)) - before) / (events * rounds);
      costs.push({ messages: operations * vehicles * MESSAGES, perSecond, wal });
    }
    return costs;
  } finally {
    await client.end();
  }
}

async function walBytes(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ bytes: number }>(
    "select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8 as bytes",
  );
  return rows[0]?.bytes ?? NaN;
}
