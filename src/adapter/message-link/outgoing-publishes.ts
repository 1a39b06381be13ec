/**
 * PUBLISHes to a broker at QoS 1 that wait for their PUBACK, and packet ids. At most as many are in flight as the broker
 * allows (MQTT 5, 3.1.2.11.3); the rest is queued.
 */
import { type OutgoingMessage } from '../c2d-sender/index.js';
import { reasonCode } from './connection-options.js';

export type Done = (error?: Error) => void;

/** Maximum number of messages in flight to the broker, if it allows that many. */
const MAX_IN_FLIGHT = 1_000;
const MAX_PACKET_ID = 65_535;
/** Reason codes from this one on are failures. */
export const FAILURE = 0x80;

export class OutgoingPublishes {
  readonly #write: (packetId: number, message: OutgoingMessage) => void;
  /** Awaiting the broker's answer, by packet id: publishes, and the subscription. */
  readonly #inFlight = new Map<number, Done>();
  #queue: { message: OutgoingMessage; done: Done }[] = [];
  #maximum = MAX_IN_FLIGHT;
  #packetId = 0;

  /** @param write writes a PUBLISH to the connection */
  constructor(write: (packetId: number, message: OutgoingMessage) => void) {
    this.#write = write;
  }

  /** @param receiveMaximum of CONNACK; undefined: the broker names no limit */
  limit(receiveMaximum: number | undefined): void {
    this.#maximum = Math.min(MAX_IN_FLIGHT, receiveMaximum ?? MAX_IN_FLIGHT);
  }

  /** Calls `done` when the broker has accepted the message, or will not. */
  publish(message: OutgoingMessage, done: Done): void {
    if (this.#inFlight.size >= this.#maximum) this.#queue.push({ message, done });
    else this.#send(message, done);
  }

  /** Reserves a packet id for a packet other than PUBLISH. @param done called when the connection breaks */
  reserve(done: Done): number {
    const packetId = this.#nextPacketId();
    this.#inFlight.set(packetId, done);
    return packetId;
  }

  release(packetId: number): void {
    this.#inFlight.delete(packetId);
  }

  /** A PUBACK has arrived. @param reason its reason code */
  acknowledged(packetId: number, reason: number): void {
    const done = this.#inFlight.get(packetId);
    if (!done) return;
    this.#inFlight.delete(packetId);
    done(
      reason < FAILURE
        ? undefined
        : new Error(`the broker refuses a message, ${reasonCode(reason)}`),
    );
    const next = this.#queue.shift();
    if (next) this.#send(next.message, next.done);
  }

  /** The connection is closed: everything pending fails. */
  fail(why: () => Error): void {
    const pending = [...this.#inFlight.values(), ...this.#queue.map(({ done }) => done)];
    this.#inFlight.clear();
    this.#queue = [];
    for (const done of pending) done(why());
  }

  #send(message: OutgoingMessage, done: Done): void {
    this.#write(this.reserve(done), message);
  }

  #nextPacketId(): number {
    do this.#packetId = (this.#packetId % MAX_PACKET_ID) + 1;
    while (this.#inFlight.has(this.#packetId));
    return this.#packetId;
  }
}
