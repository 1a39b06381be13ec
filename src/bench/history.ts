/** The cost of the history: the cost of an event with a growing number of earlier messages. */
import { performance } from 'node:perf_hooks';
import pg from 'pg';
import { fleetOf } from '../fleet/index.js';
import { fillWithEarlierOperations } from './earlier-operations.js';
import { eventsEndToEnd } from './events.js';
import { processorSeconds } from './processor-time.js';
import { median } from './report.js';
import { POSTGRES_SETTINGS, Rig } from './rig.js';
import { installedPostgres, type Server, startPostgres } from '../test-bed/index.js';

export interface HistoryCost {
  /** Earlier messages. */
  readonly messages: number;
  /** Medians of the rounds, for one event each. */
  readonly perSecond: number;
  /** Bytes of write-ahead log. */
  readonly wal: number;
  /** Processor time of PostgreSQL, µs; NaN if it cannot be determined. */
  readonly processor: number;
}

interface Case {
  readonly messages: number;
  readonly rig: Rig;
  readonly rounds: Omit<HistoryCost, 'messages'>[];
}

const VEHICLES = 10_000;
const REF_ID = 'measured';

/**
 * Events of a new operation with different numbers of earlier messages: a database and an adapter for each size, and rounds
 * that alternate between them, so that other load on the machine affects all equally.
 *
 * @param sizes earlier messages, the fewest first
 * @param rounds after one that is not counted
 */
export async function historyCosts(
  sizes: readonly number[],
  { events, rounds, tell }: { events: number; rounds: number; tell: (line: string) => void },
): Promise<HistoryCost[]> {
  const postgres = await startPostgres(await installedPostgres(), POSTGRES_SETTINGS);
  const cases: Case[] = [];
  try {
    const urls = await fill(postgres, sizes, tell);
    for (const [index, url] of urls.entries()) {
      const rig = await Rig.start('PostgreSQL + Mosquitto', { databaseUrl: url });
      cases.push({ messages: sizes[index] ?? 0, rig, rounds: [] });
      const vins = fleetOf(VEHICLES).map(({ vin }) => vin);
      await rig.connectLoad(REF_ID, await rig.pausedOperation(REF_ID, vins), VEHICLES);
    }
    const client = new pg.Client(`${postgres.url}/postgres`);
    await client.connect();
    try {
      await client.query('checkpoint');
      for (let round = 0; round <= rounds; round++) {
        for (const each of cases) {
          const cost = await measure(postgres, client, each.rig, { from: round * events, events });
          tell(
            `  after ${each.messages}: ${Math.round(cost.perSecond)} events/s, ${Math.round(cost.wal)} bytes`,
          );
          if (round > 0) each.rounds.push(cost);
        }
      }
    } finally {
      await client.end();
    }
  } finally {
    for (const { rig } of cases) await rig.end();
    await postgres.stop();
  }
  return cases.map(({ messages, rounds: costs }) => ({
    messages,
    perSecond: median(costs.map(({ perSecond }) => perSecond)),
    wal: median(costs.map(({ wal }) => wal)),
    processor: median(costs.map(({ processor }) => processor)),
  }));
}

/** @returns the URL of a database for each size */
async function fill(
  postgres: Server,
  sizes: readonly number[],
  tell: (line: string) => void,
): Promise<string[]> {
  const admin = async (...statements: string[]) => {
    const client = new pg.Client(`${postgres.url}/postgres`);
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  };
  const restart = async () => {
    await postgres.end('SIGINT');
    await postgres.restart();
  };
  await admin(
    'alter system set wal_level = minimal',
    'alter system set max_wal_senders = 0',
    // All is vacuumed when it is filled.
    'alter system set autovacuum = off',
  );
  await restart();
  const urls: string[] = [];
  for (const [index, messages] of sizes.entries()) {
    const started = performance.now();
    const name = `history_${index}`;
    await admin(`create database ${name}`);
    await fillWithEarlierOperations(`${postgres.url}/${name}`, messages);
    urls.push(`${postgres.url}/${name}`);
    const seconds = Math.round((performance.now() - started) / 1000);
    tell(`  ${messages} earlier messages are there after ${seconds} s`);
  }
  await admin('alter system reset all', 'checkpoint');
  await restart();
  return urls;
}

async function measure(
  postgres: Server,
  client: pg.Client,
  rig: Rig,
  { from, events }: { from: number; events: number },
): Promise<Omit<HistoryCost, 'messages'>> {
  const processor = () => processorSeconds(postgres.pid) ?? NaN;
  const [wal, seconds] = [await walBytes(client), processor()];
  const { perSecond } = await eventsEndToEnd(rig, { from, events, rounds: 1 });
  return {
    perSecond,
    wal: ((await walBytes(client)) - wal) / events,
    processor: ((processor() - seconds) * 1e6) / events,
  };
}

async function walBytes(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ bytes: number }>(
    "select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8 as bytes",
  );
  return rows[0]?.bytes ?? NaN;
}
