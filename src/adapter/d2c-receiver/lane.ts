/**
 * A queue whose messages are stored one batch after another. All messages of a vehicle go through the same lane, which
 * keeps their order.
 */
import { ParameterSpace } from '../../service/database/index.js';
import { type Arrival } from './batch-row.js';

/** Maximum number of messages and bytes per statement. Half as many cost a tenth more processor time per message. */
const MAX_BATCH_MESSAGES = 2_000;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;

export class Lane {
  /** Counter shard of its writer. */
  readonly shard: number;
  isStoring = false;
  /** Of the batch that is being stored. */
  readonly parameters = new ParameterSpace();
  #queue: Arrival[] = [];

  constructor(shard: number) {
    this.shard = shard;
  }

  /** Messages not being stored yet. */
  get waiting(): number {
    return this.#queue.length;
  }

  add(message: Arrival): void {
    this.#queue.push(message);
  }

  /** Removes the messages of the next statement: at least one, if there is any. */
  nextBatch(): { messages: Arrival[]; bytes: number } {
    let bytes = 0;
    let count = 0;
    for (const { payloadBytes: size } of this.#queue) {
      if (count > 0 && (count >= MAX_BATCH_MESSAGES || bytes + size > MAX_BATCH_BYTES)) break;
      bytes += size;
      count += 1;
    }
    const messages = this.#queue.slice(0, count);
    this.#queue = this.#queue.slice(count);
    return { messages, bytes };
  }
}

/** The lane of a topic, which stands for one vehicle: FNV-1a of the topic. @param lanes number of lanes */
export function laneOf(topic: string, lanes: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < topic.length; i++) {
    hash = Math.imul(hash ^ topic.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0) % lanes;
}
