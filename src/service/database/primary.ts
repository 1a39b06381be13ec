/**
 * Finds the primary among several hosts: the writable one with the highest timeline, independent of their order. A deposed
 * primary that is not aware of it has a lower timeline, because every promotion starts a new one.
 */
import pg from 'pg';
import { type DatabaseHost } from './hosts.js';

/** The answer of one host. */
export interface HostAnswer<Host = DatabaseHost> {
  readonly host: Host;
  /** Timeline of a host that accepts writes; otherwise undefined. */
  readonly timeline?: number;
  /** Whether it answered at all. */
  readonly isThere: boolean;
  /** Why the host is not writable. */
  readonly why?: string;
}

/** A host that has not answered within this time, ms, counts as silent: its network may swallow packets. */
const ANSWER_MS = 2_000;

const ASK = /* sql */ `
select current_setting('transaction_read_only') = 'on' as read_only,
  case when not pg_is_in_recovery()
    then ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int
  end as timeline`;

export async function askHost(host: DatabaseHost): Promise<HostAnswer> {
  const client = new pg.Client({
    connectionString: host.url,
    connectionTimeoutMillis: ANSWER_MS,
    query_timeout: ANSWER_MS,
    application_name: 'otaops primary?',
  });
  client.on('error', () => undefined);
  try {
    return await within(ANSWER_MS, async () => {
      await client.connect();
      const { rows } = await client.query<{ read_only: boolean; timeline: number | null }>(ASK);
      const [row] = rows;
      if (row?.timeline === undefined || row.timeline === null) {
        return { host, isThere: true, why: 'is a standby' };
      }
      const { read_only: isReadOnly, timeline } = row;
      return isReadOnly
        ? { host, isThere: true, why: 'is read-only' }
        : { host, isThere: true, timeline };
    });
  } catch (error) {
    const cause = error instanceof AggregateError ? (error.errors[0] as Error) : (error as Error);
    return { host, isThere: false, why: cause.message };
  } finally {
    // No orderly close: a host that swallows packets would not receive it.
    destroy(client);
  }
}

/**
 * @param current the host in use; it stays unless another one is ahead of it
 * @returns the primary; undefined if none accepts writes
 */
export function primaryOf<Host>(
  answers: readonly HostAnswer<Host>[],
  current: Host | undefined,
): Host | undefined {
  let best: HostAnswer<Host> | undefined;
  for (const answer of answers) {
    if (answer.timeline === undefined) continue;
    const lead = answer.timeline - (best?.timeline ?? -1);
    if (lead > 0 || (lead === 0 && answer.host === current)) best = answer;
  }
  return best?.host;
}

/** Destroys a connection without notifying the server; pending statements fail. */
export function destroy(client: pg.Client | pg.PoolClient): void {
  // The types lack its socket.
  const { connection } = client as unknown as { connection?: { stream: { destroy(): void } } };
  connection?.stream.destroy();
}

async function within<T>(ms: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`does not answer within ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
