/** Events per second, end to end, and beside it the limits: SQL alone, and the broker alone. */
import { rmSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { BrokerDialler } from '../adapter/message-link/broker-dialler.js';
import { EmbeddedBroker } from '../adapter/message-link/index.js';
import { type Arrival, batchRow, ingestBatch } from '../adapter/d2c-receiver/index.js';
import { type Database, migrate, openEmbedded, openPostgres } from '../service/database/index.js';
import { ensurePartitions } from '../adapter/maintenance.js';
import { ADAPTER_SCHEMA } from '../adapter/schema.js';
import { acceptTrigger } from '../adapter/operations/index.js';
import { registerVehicles } from '../adapter/registry/index.js';
import { fleetOf } from '../fleet/index.js';
import { parseBrokerUrl, topicTemplate } from '../contract/index.js';
import { eventSource, type TriggeredVehicle } from './event-source.js';
import { type ProcessorSeconds, type Rig, until } from './rig.js';
import { median, percentile } from './report.js';
import { temporaryDirectory } from '../test-bed/index.js';

export interface EventRates {
  /** Medians of the rounds, events a second. */
  readonly perSecond: number;
  /** Highest of the rounds and adapters, bytes. */
  readonly adapterMemory: number;
  /** Processor time of an event by process, µs; medians of the rounds. */
  readonly processor: ProcessorSeconds;
  /** 99th percentile of the event loop's worst delay in windows of 50 ms, first adapter, ms. */
  readonly loopDelayP99: number;
}

const RECEIVED = 'otaops_messages_received_total';
const MEMORY = 'process_resident_memory_bytes';
/** Of the time since it was asked before. */
const LOOP_DELAY = 'nodejs_eventloop_lag_max_seconds';
const WINDOW_MS = 50;
/** Bounds of the pause between two checks if the event loop's delay is not measured. */
const SHORTEST_LOOK_MS = 20;
const LONGEST_LOOK_MS = 2_000;

/**
 * From the first event published to the last one committed. The load is connected to an operation.
 *
 * @param from number of the first event
 * @param watchesLoop whether the event loop's delay is measured. For that `/metrics` is read every 50 ms, which costs an
 *   adapter that is short of processor time a good part of it
 */
export async function eventsEndToEnd(
  rig: Rig,
  {
    from,
    events,
    rounds,
    watchesLoop = false,
  }: { from: number; events: number; rounds: number; watchesLoop?: boolean },
): Promise<EventRates> {
  const rates: number[] = [];
  const processor: ProcessorSeconds[] = [];
  const delays: number[] = [];
  let adapterMemory = 0;
  const read = async (name: string) => (await rig.adapter.metrics()).get(name) ?? NaN;
  for (let round = 0; round < rounds; round++) {
    const before = await read(RECEIVED);
    const idle = rig.processorSeconds();
    const started = performance.now();
    const published = rig.load.publish(from + round * events, events, rig.window);
    for (;;) {
      const metrics = await rig.adapter.metrics();
      delays.push((metrics.get(LOOP_DELAY) ?? 0) * 1000);
      const received = (metrics.get(RECEIVED) ?? 0) - before;
      if (received >= events) break;
      const elapsed = performance.now() - started;
      await sleep(watchesLoop ? WINDOW_MS : untilNextLook(received, events, elapsed));
    }
    rates.push((events / (performance.now() - started)) * 1000);
    processor.push(perEvent(idle, rig.processorSeconds(), events));
    await published;
    for (const adapter of rig.adapters) {
      adapterMemory = Math.max(adapterMemory, (await adapter.metrics()).get(MEMORY) ?? 0);
    }
  }
  return {
    perSecond: median(rates),
    adapterMemory,
    processor: {
      adapters: median(processor.map(({ adapters }) => adapters)),
      postgres: median(processor.map(({ postgres }) => postgres)),
      broker: median(processor.map(({ broker }) => broker)),
    },
    loopDelayP99: percentile(delays, 99),
  };
}

/** Polls after more than half of the estimated remaining time: few polls, with the last one close to the end. */
function untilNextLook(received: number, events: number, elapsedMs: number): number {
  const left = received === 0 ? 0 : ((events - received) / received) * elapsedMs;
  return Math.min(Math.max(left * 0.6, SHORTEST_LOOK_MS), LONGEST_LOOK_MS);
}

/** @returns µs */
function perEvent(from: ProcessorSeconds, to: ProcessorSeconds, events: number): ProcessorSeconds {
  const of = (part: keyof ProcessorSeconds) => ((to[part] - from[part]) * 1e6) / events;
  return { adapters: of('adapters'), postgres: of('postgres'), broker: of('broker') };
}

const BATCH = 1_000;
const d2cTopic = topicTemplate('d2c/{system_id}');

/** The same events, fed to the same statement from memory; median of the rounds, events a second. */
export async function sqlLimit(
  rig: Rig,
  { vehicles, events, rounds }: { vehicles: number; events: number; rounds: number },
): Promise<number> {
  const directory = temporaryDirectory('sql');
  const database =
    rig.kind === 'embedded'
      ? await openEmbedded(directory)
      : openPostgres({ url: await rig.newDatabase() });
  try {
    await migrate(database, ADAPTER_SCHEMA);
    const next = eventSource(await fleetIn(database, vehicles), 'sql', 'sql');
    const rates: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const rows = Array.from({ length: events }, (_, n) => {
        const { topic, payload } = next(round * events + n);
        return batchRow(
          { topic, payload: Buffer.from(payload), receivedAt: Date.now(), publisher: null },
          d2cTopic,
        );
      });
      let at = 0;
      const lane = async (shard: number) => {
        while (at < rows.length) {
          await ingestBatch(database, shard, rows.slice(at, (at += BATCH)));
        }
      };
      const started = performance.now();
      await Promise.all(database.connections > 1 ? [lane(0), lane(1)] : [lane(0)]);
      rates.push((events / (performance.now() - started)) * 1000);
    }
    return median(rates);
  } finally {
    await database.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A fleet with an operation, written directly. */
async function fleetIn(database: Database, size: number): Promise<TriggeredVehicle[]> {
  const now = Date.now();
  await ensurePartitions(database, now);
  const fleet = fleetOf(size);
  await registerVehicles(
    database,
    0,
    fleet.map(({ vin, systemId }) => ({ vin, system_id: systemId })),
    now,
  );
  const body = { model: 'm', 'ref-id': 'sql', 'script-ref-id': 's', vins: fleet.map((v) => v.vin) };
  await acceptTrigger(database, { time: now, version: 'v1', body }, { shard: 0, by: 'bench', now });
  const rows = await database.query<{ vin: string; trigger_id: string }>(
    'select vin, trigger_id from deliveries order by vin',
  );
  return rows.map(({ vin, trigger_id }) => ({
    vin,
    systemId: `c2c-sys-${vin}`,
    triggerId: trigger_id,
  }));
}

/** Topics that no adapter listens to. */
const LIMIT_TOPICS = 'limit/';

/** The broker's own fan-in with a consumer that only acknowledges; median, events a second. */
export async function brokerLimit(
  rig: Rig,
  operation: { refId: string; vehiclesFile: string; vehicles: number },
  { events, rounds }: { events: number; rounds: number },
): Promise<number> {
  let received = 0;
  const onMessage = (message: Arrival) => {
    received += 1;
    message.acknowledge();
  };
  const consumer = await acknowledgingConsumer(rig, onMessage);
  try {
    await rig.load.connect({
      ...operation,
      port: consumer.port,
      run: `limit-${Date.now()}`,
      connections: rig.kind === 'embedded' ? operation.vehicles : 50,
      asVehicles: rig.kind === 'embedded',
      topicPrefix: LIMIT_TOPICS,
    });
    const rates: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const before = received;
      const started = performance.now();
      await rig.load.publish(round * events, events, rig.window);
      await until(() => Promise.resolve(received >= before + events), 2);
      rates.push((events / (performance.now() - started)) * 1000);
    }
    return median(rates);
  } finally {
    await consumer.close();
  }
}

async function acknowledgingConsumer(
  rig: Rig,
  onMessage: (message: Arrival) => void,
): Promise<{ port: number; close: () => Promise<void> }> {
  const clock = Date.now;
  if (rig.kind === 'embedded') {
    const broker = new EmbeddedBroker({
      host: '127.0.0.1',
      port: 0,
      c2dTopic: topicTemplate('c2d/{system_id}'),
      identities: {
        authenticate: () => Promise.resolve('anyone'),
        identify: () => Promise.resolve('anyone'),
        current: (systemIds) => Promise.resolve(new Map(systemIds.map((id) => [id, 'anyone']))),
        changes: () => Promise.resolve({ systemIds: [], snapshot: '' }),
      },
      clock,
    });
    await broker.open({
      onMessage,
      backpressure: () => undefined,
      isAllStored: () => true,
      onVehicleConnected: () => undefined,
      onUp: () => undefined,
      onSubscribed: () => undefined,
      onProblem: () => undefined,
    });
    const port = Number(broker.address.split(':')[1]);
    return { port, close: () => broker.close() };
  }
  const dialler = new BrokerDialler({ url: parseBrokerUrl(rig.brokerUrl), tls: {} });
  const connection = await dialler.connect({
    clientId: 'bench-consumer',
    clean: true,
    sessionExpirySeconds: 0,
    clock,
    onMessage,
    backpressure: () => undefined,
    onClosed: () => undefined,
  });
  await connection.subscribe(`${LIMIT_TOPICS}+`, 1);
  return { port: rig.brokerPort, close: () => connection.disconnect() };
}
