/**
 * D2C receiver: the adapter's way in from vehicles. A message is settled, so that its sender may be
 * acknowledged, once the transaction that holds it has committed (contract section 1).
 *
 * Batches form by themselves: while one is being stored the next one gathers, so that a single
 * message waits for nothing and a flood is stored in large batches.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type TopicTemplate } from '../../protocol/index.js';
import { type Database, DatabaseError } from '../../service/database/index.js';
import { batchRow, type BatchRow, type Received } from './batch-row.js';
import { type BatchOutcome, ingestBatch, refuse } from './ingest-batch.js';

export interface D2cReceiverOptions {
  readonly database: Database;
  readonly d2cTopic: TopicTemplate;
  /** Counter shards of this process, one for each batch that may be stored at the same time. */
  readonly shards: readonly number[];
  /** Hears of every stored batch. */
  readonly onBatch?: (outcome: BatchOutcome, seconds: number, rows: readonly BatchRow[]) => void;
  /** Hears of each failed try to store a batch; it is tried again until it succeeds. */
  readonly onFailure?: (error: Error) => void;
}

/** Most messages and bytes in one statement. */
const MAX_BATCH_MESSAGES = 1_000;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/** With more than this in hand the sender's side has to wait. */
const MAX_WAITING_MESSAGES = 32_768;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;

interface Waiting {
  readonly received: Received;
  readonly settle: () => void;
}

/** A message on its way into the database. */
interface Decoded {
  readonly row: BatchRow;
  readonly settle: () => void;
}

export class D2cReceiver {
  readonly #options: D2cReceiverOptions;
  #queue: Waiting[] = [];
  #waitingBytes = 0;
  readonly #idleShards: number[];
  #drained: (() => void)[] = [];
  #roomy: (() => void)[] = [];
  #stopped = false;

  constructor(options: D2cReceiverOptions) {
    this.#options = options;
    this.#idleShards = [...options.shards];
  }

  /** Messages that have arrived and are not being stored yet. */
  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * Takes a message as it came from the wire. Calls `settle` once it is durably applied, recognised
   * as a duplicate or kept as a dead letter; never before, and not at all if the process ends first.
   */
  receive(received: Received, settle: () => void): void {
    this.#queue.push({ received, settle });
    this.#waitingBytes += received.payload.byteLength;
    this.#work();
  }

  /** Resolves when there is room for more messages; undefined: there is. */
  backpressure(): Promise<void> | undefined {
    if (this.#hasRoom) return undefined;
    return new Promise((resolve) => this.#roomy.push(resolve));
  }

  /** Stores one message at once and tells what became of it; for replays. */
  async ingestOne(received: Received): Promise<BatchOutcome> {
    const shard = this.#options.shards[0] ?? 0;
    const row = batchRow(received, this.#options.d2cTopic);
    return ingestBatch(this.#options.database, shard, [row]);
  }

  /** Resolves when everything that has arrived is stored. */
  async drain(): Promise<void> {
    if (this.#isIdle) return;
    await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  /** Gives up what is not stored yet: its senders were not acknowledged and will send it again. */
  stop(): void {
    this.#stopped = true;
  }

  get #isIdle(): boolean {
    return this.#queue.length === 0 && this.#idleShards.length === this.#options.shards.length;
  }

  get #hasRoom(): boolean {
    return this.#queue.length < MAX_WAITING_MESSAGES && this.#waitingBytes < MAX_WAITING_BYTES;
  }

  #work(): void {
    while (this.#isWorthABatch && !this.#stopped) {
      const shard = this.#idleShards.pop();
      if (shard === undefined) return;
      void this.#store(this.#nextBatch(), shard).then(() => {
        this.#idleShards.push(shard);
        this.#work();
        if (this.#isIdle) for (const resolve of this.#drained.splice(0)) resolve();
      });
    }
  }

  /** A statement costs much the same for ten messages: beside another one, only a large batch pays. */
  get #isWorthABatch(): boolean {
    const isFirst = this.#idleShards.length === this.#options.shards.length;
    return this.#queue.length >= (isFirst ? 1 : MAX_BATCH_MESSAGES / 2);
  }

  #nextBatch(): Decoded[] {
    let bytes = 0;
    let count = 0;
    for (const { received } of this.#queue) {
      const size = received.payload.byteLength;
      if (count > 0 && (count >= MAX_BATCH_MESSAGES || bytes + size > MAX_BATCH_BYTES)) break;
      bytes += size;
      count += 1;
    }
    const batch = this.#queue.slice(0, count);
    this.#queue = this.#queue.slice(count);
    this.#waitingBytes -= bytes;
    if (this.#hasRoom) for (const resolve of this.#roomy.splice(0)) resolve();
    return batch.map(({ received, settle }) => ({
      row: batchRow(received, this.#options.d2cTopic),
      settle,
    }));
  }

  /** Stores a batch, however long the database is away. Never rejects. */
  async #store(batch: Decoded[], shard: number): Promise<void> {
    for (let pause = FIRST_RETRY_MS; !this.#stopped; pause = Math.min(pause * 2, LAST_RETRY_MS)) {
      const started = performance.now();
      try {
        const rows = batch.map(({ row }) => row);
        const outcome = await ingestBatch(this.#options.database, shard, rows);
        this.#options.onBatch?.(outcome, (performance.now() - started) / 1000, rows);
        for (const { settle } of batch) settle();
        return;
      } catch (error) {
        this.#options.onFailure?.(error as Error);
        if (error instanceof DatabaseError && error.isPermanent) {
          if (batch.length === 1) return this.#store(batch.map(refusedByDatabase(error)), shard);
          // One message spoils the batch: halve it until it stands alone.
          const half = batch.length >> 1;
          await this.#store(batch.slice(0, half), shard);
          return this.#store(batch.slice(half), shard);
        }
        await sleep(pause);
      }
    }
  }
}

/** The last resort: a message that the database refuses is kept as a dead letter, with its words. */
const refusedByDatabase =
  ({ message: detail }: DatabaseError) =>
  ({ row, settle }: Decoded): Decoded => ({
    settle,
    row: refuse(row, { status: 'INVALID', reason: 'REFUSED_BY_DATABASE', path: '', detail }),
  });
