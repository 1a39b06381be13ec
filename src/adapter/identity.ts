/** What distinguishes one adapter process from the others on its database. */
import { randomInt, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type AdapterSettings } from './settings.js';

/**
 * Name of the adapter, the same after a restart on the same host or container; a random one if the port is chosen by
 * the system.
 */
export function instanceOf({ instance, httpPort }: AdapterSettings): string {
  return instance ?? (httpPort === 0 ? randomUUID() : `${hostname()}-${httpPort}`);
}

/** Counter shards of one process, by writer. */
export interface Shards {
  readonly ingest: readonly number[];
  readonly sender: readonly number[];
  readonly http: number;
}

/**
 * Randomly chosen counter shards. Two processes with the same ones still count correctly; they only wait for each other
 * now and then.
 *
 * @param connections to the database: with one, batches are stored one after another, in one shard
 */
export function chooseShards(connections: number): Shards {
  const first = randomInt(1, 6_000) * 5;
  const ingest = connections > 1 ? [first, first + 1] : [first];
  return { ingest, sender: [first + 2, first + 3], http: first + 4 };
}
