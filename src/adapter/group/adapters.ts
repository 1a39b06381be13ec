/** The adapters that share a database: each reports its status in regular heartbeats. */
import { type Queryable } from '../../service/database/index.js';

export interface AdapterRow {
  readonly instance: string;
  readonly started_at: Date;
  readonly seen_at: Date;
  readonly version: string;
  /** Address of its broker, and whether it is connected to it. */
  readonly broker: string;
  readonly connected: boolean;
  /** Whether it reads the vehicles' messages. */
  readonly subscribed: boolean;
  /** Messages received and not stored yet. */
  readonly waiting: number;
  /** Messages per second. */
  readonly received: number;
  /** Triggers per second. */
  readonly triggered: number;
}

export async function saveAdapter(database: Queryable, row: AdapterRow): Promise<void> {
  await database.query(
    `insert into adapters (instance, started_at, seen_at, version, broker, connected, waiting, received, triggered, subscribed)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (instance) do update set
       started_at = excluded.started_at, seen_at = excluded.seen_at, version = excluded.version,
       broker = excluded.broker, connected = excluded.connected, waiting = excluded.waiting,
       received = excluded.received, triggered = excluded.triggered,
       subscribed = excluded.subscribed`,
    [
      row.instance,
      row.started_at,
      row.seen_at,
      row.version,
      row.broker,
      row.connected,
      row.waiting,
      row.received,
      row.triggered,
      row.subscribed,
    ],
  );
}

/** An adapter silent for this long is removed from the list, ms. */
const FORGET_MS = 24 * 60 * 60 * 1000;

/** The adapters seen recently, by name. @param now ms */
export const listAdapters = (database: Queryable, now: number): Promise<AdapterRow[]> =>
  database.query<AdapterRow>('select * from adapters where seen_at > $1 order by instance', [
    new Date(now - FORGET_MS),
  ]);

/** After a clean shutdown an adapter is removed at once. */
export async function removeAdapter(database: Queryable, instance: string): Promise<void> {
  await database.query('delete from adapters where instance = $1', [instance]);
}

export async function forgetAdapters(database: Queryable, now: number): Promise<void> {
  await database.query('delete from adapters where seen_at < $1', [new Date(now - FORGET_MS)]);
}
