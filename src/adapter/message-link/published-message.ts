/**
 * A received PUBLISH. At full load, tens of thousands wait in memory: each is one small object, and its topic and payload
 * are taken from the received bytes only when needed.
 */
import { type Arrival } from '../d2c-receiver/index.js';
import { type Reading } from './reading-memory.js';

/** Where PUBACKs go. */
export interface Acknowledging {
  /** @param place of the message among those that wait for their PUBACK */
  acknowledge(place: number): void;
}

/** Stands for the place of a message at QoS 0, which needs no PUBACK. */
export const NO_PUBACK = -1;

export class PublishedMessage implements Arrival {
  readonly publisher = null;
  readonly receivedAt: number;
  readonly isRepeated: boolean;
  readonly #connection: Acknowledging;
  readonly #place: number;
  #reading: Reading | undefined;
  readonly #bytes: Buffer;
  readonly #topicStart: number;
  readonly #topicEnd: number;
  readonly #payloadStart: number;
  readonly #end: number;

  /**
   * @param reading the read buffer with its bytes, held until the message is acknowledged
   * @param receivedAt ms
   */
  constructor(
    connection: Acknowledging,
    reading: Reading,
    receivedAt: number,
    bytes: Buffer,
    topicStart: number,
    topicEnd: number,
    payloadStart: number,
    end: number,
    place: number,
    isRepeated: boolean,
  ) {
    reading.hold();
    this.#connection = connection;
    this.#reading = reading;
    this.receivedAt = receivedAt;
    this.#bytes = bytes;
    this.#topicStart = topicStart;
    this.#topicEnd = topicEnd;
    this.#payloadStart = payloadStart;
    this.#end = end;
    this.#place = place;
    this.isRepeated = isRepeated;
  }

  get topic(): string {
    return this.#bytes.toString('utf8', this.#topicStart, this.#topicEnd);
  }

  get payload(): Buffer {
    return this.#bytes.subarray(this.#payloadStart, this.#end);
  }

  get payloadBytes(): number {
    return this.#end - this.#payloadStart;
  }

  acknowledge(): void {
    if (!this.#reading) return;
    this.#reading.release();
    this.#reading = undefined;
    if (this.#place !== NO_PUBACK) this.#connection.acknowledge(this.#place);
  }
}
