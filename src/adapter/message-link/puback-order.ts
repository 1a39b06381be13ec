/**
 * PUBACKs are sent in the order of their PUBLISHes [MQTT-4.6.0-2], regardless of the order of storage. Brokers rely on
 * it: Mosquitto searches for the message of each PUBACK starting from the oldest, so an out-of-order PUBACK costs it a
 * scan of all earlier ones. Pure.
 */

/** Packet ids range from 1 to 65,535 (MQTT 3.1.1, 2.3.1), which limits the messages in flight. */
const PACKET_IDS = 65_536;

/** A broker has more messages in flight than there are packet ids. */
class TooManyUnderWay extends Error {
  override readonly name = 'TooManyUnderWay';
}

export class PubackOrder {
  /** Ring buffer of the packet ids waiting for PUBACK, oldest first. */
  readonly #ids = new Uint16Array(PACKET_IDS);
  readonly #isSettled = new Uint8Array(PACKET_IDS);
  #oldest = 0;
  #count = 0;

  /** Messages that wait for their PUBACK. */
  get count(): number {
    return this.#count;
  }

  /** @throws TooManyUnderWay */
  arrived(packetId: number): void {
    if (this.#count === PACKET_IDS) throw new TooManyUnderWay('more messages than packet ids');
    this.#ids[(this.#oldest + this.#count) % PACKET_IDS] = packetId;
    this.#count += 1;
  }

  /** @returns whether PUBACKs are now due */
  settled(packetId: number): boolean {
    this.#isSettled[packetId] = 1;
    return this.#isDue;
  }

  /** The packet ids to be acknowledged now, in order. */
  take(): number[] {
    const due: number[] = [];
    while (this.#isDue) {
      const packetId = this.#ids[this.#oldest] ?? 0;
      due.push(packetId);
      this.#isSettled[packetId] = 0;
      this.#oldest = (this.#oldest + 1) % PACKET_IDS;
      this.#count -= 1;
    }
    return due;
  }

  get #isDue(): boolean {
    return this.#count > 0 && this.#isSettled[this.#ids[this.#oldest] ?? 0] === 1;
  }
}
