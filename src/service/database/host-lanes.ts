/** The lanes of connections to one PostgreSQL host, which can all be dropped at once. */
import { type DatabaseHost } from './hosts.js';
import { HostPool } from './host-pool.js';
import { type Lane, LANE_CONNECTIONS } from './lanes.js';
import { clientSharingRefusals } from './refusals.js';

export interface HostLanesOptions {
  /** Of the lane of messages. */
  readonly connections: number;
  readonly readingSeconds: number;
  readonly onConnectionLost: ((error: Error) => void) | undefined;
}

export class HostLanes {
  readonly #pools: Readonly<Record<Lane, HostPool>>;

  constructor(
    readonly host: DatabaseHost,
    { connections, readingSeconds, onConnectionLost }: HostLanesOptions,
  ) {
    const client = clientSharingRefusals();
    const pool = (size: number, statementMs?: number) =>
      new HostPool(host, { connections: size, client, statementMs, onConnectionLost });
    this.#pools = {
      messages: pool(connections),
      requests: pool(LANE_CONNECTIONS.requests),
      reading: pool(LANE_CONNECTIONS.reading, readingSeconds * 1000),
    };
  }

  pool(lane: Lane): HostPool {
    return this.#pools[lane];
  }

  giveUp(error: Error): void {
    for (const pool of Object.values(this.#pools)) pool.giveUp(error);
  }

  async end(): Promise<void> {
    await Promise.all(Object.values(this.#pools).map((pool) => pool.end()));
  }
}
