/**
 * D2C receiver: the adapter's way in from vehicles. A message is acknowledged after the transaction that stores it has
 * committed (contract section 1).
 *
 * Batches form by themselves: the next one gathers while the previous one is being stored, so that a single message does
 * not wait and a flood is stored in large batches. Batches stored at the same time have no vehicle in common: each
 * vehicle belongs to one lane, and a lane stores one batch at a time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffPause, type TopicTemplate } from '../../contract/index.js';
import { type Database, DatabaseError, only } from '../../service/database/index.js';
import { type Arrival, batchRow, type BatchRow, type Received, type Refusal } from './batch-row.js';
import { type DeadLetterLimits } from './dead-letter-limits.js';
import {
  type BatchOutcome,
  ingestBatch,
  prepareBatch,
  type PreparedBatch,
  storeBatch,
} from './ingest-batch.js';
import { Lane, laneOf } from './lane.js';
import { type MessageBudget } from './message-budget.js';
import { refuse } from './refuse.js';

export interface D2cReceiverOptions {
  readonly database: Database;
  readonly d2cTopic: TopicTemplate;
  /** Counter shards of this process, one per batch stored at the same time. */
  readonly shards: readonly number[];
  readonly deadLetterLimits?: DeadLetterLimits | undefined;
  /** Of each vehicle's messages; those beyond it become dead letters. Absent: no limit here. */
  readonly budget?: MessageBudget | undefined;
  /** Called for each message beyond it, with the system_id of its topic. */
  readonly onOverBudget?: ((systemId: string) => void) | undefined;
  /** Called with each message before it is stored. What it returns is called once the message is stored. */
  readonly follow?: (row: BatchRow) => (() => void) | undefined;
  /** Called after each stored batch. */
  readonly onBatch?: (outcome: BatchOutcome, seconds: number) => void;
  /** Called after each failed attempt to store a batch, which is retried until it succeeds. */
  readonly onFailure?: (error: Error) => void;
}

/** With more messages or bytes than this, backpressure is applied to the senders. */
const MAX_WAITING_MESSAGES = 32_768;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** Messages that are worth a statement beside another one. */
const LARGE_BATCH = 500;

const RETRY: Backoff = { firstPauseMs: 100, longestPauseMs: 5_000 };

const OVER_BUDGET: Refusal = {
  status: 'INVALID',
  reason: 'MESSAGE_BUDGET_EXCEEDED',
  path: '',
  detail: 'the vehicle sends more messages than its budget allows',
};

interface Prepared {
  readonly batch: PreparedBatch;
  readonly followUps: readonly (() => void)[];
}

export class D2cReceiver {
  readonly #options: D2cReceiverOptions;
  readonly #lanes: readonly Lane[];
  #waiting = 0;
  #waitingBytes = 0;
  #drained: (() => void)[] = [];
  #roomy: (() => void)[] = [];
  #stopped = false;
  readonly #overBudget = new WeakSet<Arrival>();

  constructor(options: D2cReceiverOptions) {
    this.#options = options;
    this.#lanes = options.shards.map((shard) => new Lane(shard));
  }

  /** Messages received and not being stored yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether all received messages are stored. */
  get isIdle(): boolean {
    return this.#waiting === 0 && this.#lanes.every(({ isStoring }) => !isStoring);
  }

  /**
   * Takes a received message. Acknowledges it once it is durably applied, recognised as a duplicate or kept as a dead
   * letter; never earlier, and not at all if the process ends before that.
   */
  receive(message: Arrival): void {
    // Read once: it is made from the received bytes each time.
    const { topic } = message;
    // While the database is down, a broker repeats what has no PUBACK with each new connection: it counts once.
    if (!message.isRepeated && this.#isOverBudget(topic)) this.#overBudget.add(message);
    const lane = laneOf(topic, this.#lanes.length);
    this.#lanes[lane]?.add(message);
    this.#waiting += 1;
    this.#waitingBytes += message.payloadBytes;
    this.#work(lane);
  }

  /** A topic stands for a vehicle: nobody else may publish to it (contract section 3). */
  #isOverBudget(topic: string): boolean {
    const { budget, d2cTopic, onOverBudget } = this.#options;
    const systemId = d2cTopic.systemIdOf(topic);
    if (!budget || systemId === undefined) return false;
    if (budget.take(systemId, performance.now()) === 0) return false;
    onOverBudget?.(systemId);
    return true;
  }

  /** Resolves when there is room for more messages; undefined: there is room. */
  backpressure(): Promise<void> | undefined {
    if (this.#hasRoom) return undefined;
    return new Promise((resolve) => this.#roomy.push(resolve));
  }

  /** Stores one message immediately, for replays. */
  async ingestOne(received: Received): Promise<BatchOutcome> {
    const shard = this.#options.shards[0] ?? 0;
    const { database, d2cTopic, deadLetterLimits } = this.#options;
    return ingestBatch(database, shard, [batchRow(received, d2cTopic)], deadLetterLimits);
  }

  /** Resolves when all received messages are stored. */
  async drain(): Promise<void> {
    if (this.isIdle) return;
    await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  /** Discards messages not stored yet: they were not acknowledged, and their senders will repeat them. */
  stop(): void {
    this.#stopped = true;
  }

  get #hasRoom(): boolean {
    return this.#waiting < MAX_WAITING_MESSAGES && this.#waitingBytes < MAX_WAITING_BYTES;
  }

  /** @param first number of the lane to check first, so that each gets its turn */
  #work(first: number): void {
    for (let n = 0; n < this.#lanes.length && !this.#stopped; n++) {
      const number = (first + n) % this.#lanes.length;
      const lane = this.#lanes[number];
      if (!lane || !this.#isWorthABatch(lane)) continue;
      lane.isStoring = true;
      void this.#store(this.#nextBatch(lane), lane).then(() => {
        lane.isStoring = false;
        this.#work(number + 1);
        if (this.isIdle) for (const resolve of this.#drained.splice(0)) resolve();
      });
    }
  }

  /** A statement costs about the same for one message as for ten: beside another one, only a large batch is worth it. */
  #isWorthABatch(lane: Lane): boolean {
    const isAlone = this.#lanes.every(({ isStoring }) => !isStoring);
    return !lane.isStoring && lane.waiting >= (isAlone ? 1 : LARGE_BATCH);
  }

  #nextBatch(lane: Lane): Arrival[] {
    const { messages, bytes } = lane.nextBatch();
    this.#waiting -= messages.length;
    this.#waitingBytes -= bytes;
    if (this.#hasRoom) for (const resolve of this.#roomy.splice(0)) resolve();
    return messages;
  }

  /** @param refusal the database's, if it has refused the message */
  #rowOf(message: Arrival, refusal: Refusal | undefined): BatchRow {
    const row = batchRow(message, this.#options.d2cTopic);
    const reason = refusal ?? (this.#overBudget.has(message) ? OVER_BUDGET : undefined);
    return reason ? refuse(row, reason) : row;
  }

  /** In a function of its own, so that no row is referenced any more while the batch is being stored. */
  #prepare(messages: readonly Arrival[], lane: Lane, refusal: Refusal | undefined): Prepared {
    const { follow, deadLetterLimits } = this.#options;
    const { shard, parameters } = lane;
    parameters.clear();
    const rows = messages.map((message) => this.#rowOf(message, refusal));
    return {
      batch: prepareBatch(shard, rows, deadLetterLimits, (bytes) => parameters.allocate(bytes)),
      followUps: follow ? rows.flatMap((row) => follow(row) ?? []) : [],
    };
  }

  /**
   * Stores messages, however long the database is down. Never rejects. Each attempt decodes them again, which gives the
   * same rows.
   */
  async #store(messages: readonly Arrival[], lane: Lane, refusal?: Refusal): Promise<void> {
    for (let attempt = 1; !this.#stopped; attempt++) {
      try {
        const { batch, followUps } = this.#prepare(messages, lane, refusal);
        const started = performance.now();
        const rowOf = (number: number) =>
          this.#rowOf(only(messages.slice(number, number + 1)), refusal);
        const outcome = await storeBatch(this.#options.database, batch, rowOf);
        this.#options.onBatch?.(outcome, (performance.now() - started) / 1000);
        for (const followUp of followUps) followUp();
        for (const message of messages) message.acknowledge();
        return;
      } catch (error) {
        this.#options.onFailure?.(error as Error);
        if (error instanceof DatabaseError && error.isPermanent) {
          if (messages.length === 1) return this.#store(messages, lane, refusalOf(error));
          // One message is the cause: halve the batch until it is alone.
          const half = messages.length >> 1;
          await this.#store(messages.slice(0, half), lane);
          return this.#store(messages.slice(half), lane);
        }
        await sleep(backoffPause(RETRY, attempt, Math.random()));
      }
    }
  }
}

/** Last resort: a message that the database refuses is kept as a dead letter, with the database's message. */
const refusalOf = ({ message: detail }: DatabaseError): Refusal => ({
  status: 'INVALID',
  reason: 'REFUSED_BY_DATABASE',
  path: '',
  detail,
});
