/** Creates operations and events directly, without MQTT, for tests of components behind the D2C receiver. */
import { batchRow, ingestBatch } from '../../src/adapter/d2c-receiver/index.js';
import { type Database } from '../../src/service/database/index.js';
import { ensurePartitions } from '../../src/adapter/maintenance.js';
import { acceptTrigger, findOperation } from '../../src/adapter/operations/index.js';
import { registerVehicles } from '../../src/adapter/registry/index.js';
import { type EventStatusName, topicTemplate } from '../../src/contract/index.js';
import { eventBytes, type TestVehicle } from './messages.js';

const d2cTopic = topicTemplate('d2c/{system_id}');

export interface EventSource {
  readonly operationId: number;
  /** Stores events in one batch; each is identified by vehicle, status and a text. */
  store: (
    events: readonly {
      vehicle: TestVehicle;
      status: EventStatusName;
      n: number | string;
      meta?: { key: string; value: string }[];
    }[],
    shard?: number,
    receivedAt?: number,
  ) => Promise<void>;
}

/** Registers the vehicles and triggers an operation for them. */
export async function eventSource(
  database: Database,
  refId: string,
  vehicles: readonly TestVehicle[],
  now = Date.now(),
): Promise<EventSource> {
  await ensurePartitions(database, now);
  const registrations = vehicles.map(({ vin, systemId }) => ({ vin, system_id: systemId }));
  await registerVehicles(database, 0, registrations, now);
  const vins = vehicles.map(({ vin }) => vin);
  const body = { model: 'm', 'ref-id': refId, 'script-ref-id': 's', vins };
  await acceptTrigger(database, { time: now, version: 'v1', body }, { shard: 0, by: 't', now });
  return {
    operationId: (await findOperation(database, refId))?.id ?? 0,
    async store(events, shard = 1, receivedAt = Date.now()) {
      const rows = events.map(({ vehicle, status, n, meta = [] }) =>
        batchRow(
          {
            topic: d2cTopic.of(vehicle.systemId),
            payload: eventBytes(vehicle, {
              messageId: `msg-dev-${vehicle.vin}-${n}`,
              correlationId: '',
              refId,
              status,
              timestamp: receivedAt,
              meta,
            }),
            receivedAt,
            publisher: null,
          },
          d2cTopic,
        ),
      );
      const outcome = await ingestBatch(database, shard, rows);
      if (outcome.applied !== events.length) throw new Error(JSON.stringify(outcome));
    },
  };
}
