/** A database with finished operations, as it is after a given number of messages. */
import pg from 'pg';
import { ensurePartitions } from '../adapter/maintenance.js';
import { moveCounters } from '../adapter/operation-counters.js';
import { registerVehicles } from '../adapter/registry/index.js';
import { ADAPTER_SCHEMA } from '../adapter/schema.js';
import { fleetOf } from '../fleet/index.js';
import { migrate, openPostgres } from '../service/database/index.js';

/** Vehicles in the registry; each is in every earlier operation. */
const FLEET = 100_000;
/** Messages of each vehicle in an earlier operation. */
const MESSAGES = 20;
/** Each in a separate week, as long as there are no more operations than weeks. */
const WEEKS = 52;
const IMPORT_CHUNK = 20_000;

/**
 * One operation of long ago: its vehicles, as they stand when they have finished, and their messages.
 *
 * A partition that is made and filled in one transaction needs no write-ahead log where `wal_level` is minimal.
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
    state, reported, updated_at, digests)
  select operation, vin, gen_random_uuid(), began, 'acknowledged', 1, began, 'success',
    lpad((extract(epoch from began) * 1000)::bigint::text, 15, '0') || '18msg-dev-' || gen_random_uuid()
      || e'\\x01success\\x01',
    began, array_fill(gen_random_uuid(), array[${MESSAGES}])
  from (select vin from vehicles order by vin limit VEHICLES) v order by vin;

  insert into messages (received_at, event_at, operation_id, attempt, vin, system_id, sub_system_id,
    message_id, correlation_id, status, device_id, device_type, meta, batch, nr)
  select began, began, operation, 1, v.vin, v.system_id, '', 'msg-dev-' || gen_random_uuid(),
    'msg-cld-' || d.trigger_id, 3, 'device1234', 'TCU', '[{"key":"download","value":"40%"}]',
    -operation, row_number() over ()
  from (select vin, trigger_id from deliveries where operation_id = operation order by vin) d
  join vehicles v on v.vin = d.vin
  cross join generate_series(1, ${MESSAGES}) n;

  ${moveCounters(
    `select operation as operation_id, 'success' as state, false as paused, VEHICLES as n`,
    '0',
  )};
end $fill$`;

/**
 * Fills an empty database.
 *
 * @param messages number of earlier messages, rounded up to a multiple of 20
 */
export async function fillWithEarlierOperations(url: string, messages: number): Promise<void> {
  await prepare(url);
  const client = new pg.Client(url);
  await client.connect();
  try {
    // A plan that is good for an empty table is none for a full one.
    await client.query('analyze vehicles; set enable_nestloop = off');
    let left = Math.ceil(messages / MESSAGES);
    for (let number = 0; left > 0; number++) {
      const vehicles = Math.min(left, FLEET);
      const fill = FILL.replaceAll('NUMBER', String(number));
      await client.query(fill.replaceAll('VEHICLES', String(vehicles)));
      left -= vehicles;
    }
    await client.query('vacuum analyze');
  } finally {
    await client.end();
  }
}

/** Tables and the fleet. */
async function prepare(url: string): Promise<void> {
  const database = openPostgres({ url });
  try {
    await migrate(database, ADAPTER_SCHEMA);
    const now = Date.now();
    await ensurePartitions(database, now);
    const fleet = fleetOf(FLEET).map(({ vin, systemId }) => ({ vin, system_id: systemId }));
    for (let start = 0; start < FLEET; start += IMPORT_CHUNK) {
      await registerVehicles(database, 0, fleet.slice(start, start + IMPORT_CHUNK), now);
    }
  } finally {
    await database.close();
  }
}
