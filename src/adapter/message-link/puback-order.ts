/**
 * PUBACKs are sent in the order of their PUBLISHes [MQTT-4.6.0-2], regardless of the order of storage. Brokers rely on
 * it: Mosquitto searches for the message of each PUBACK starting from the oldest, so an out-of-order PUBACK costs it a
 * scan of all earlier ones. Pure.
 */

/** More than a connection reads ahead, and the reading in which it notices. */
const PLACES = 2 ** 17;

/** A broker has more messages in flight than any limit allows. */
class TooManyUnderWay extends Error {
  override readonly name = 'TooManyUnderWay';
}

export class PubackOrder {
  /** Ring buffer of the packet ids that wait for their PUBACK, oldest first. */
  readonly #ids = new Uint16Array(PLACES);
  readonly #isAcknowledged = new Uint8Array(PLACES);
  #oldest = 0;
  #count = 0;

  /** Messages that wait for their PUBACK. */
  get count(): number {
    return this.#count;
  }

  /**
   * @returns the message's place, which no other has until its PUBACK: a broker may use a packet id for several messages
   *   in flight
   * @throws TooManyUnderWay
   */
  add(packetId: number): number {
    if (this.#count === PLACES) throw new TooManyUnderWay(`${PLACES} messages without PUBACK`);
    const place = (this.#oldest + this.#count) % PLACES;
    this.#ids[place] = packetId;
    this.#isAcknowledged[place] = 0;
    this.#count += 1;
    return place;
  }

  /** @returns whether PUBACKs are now due */
  acknowledge(place: number): boolean {
    this.#isAcknowledged[place] = 1;
    return this.#isDue;
  }

  /** The packet ids to be acknowledged now, in order. */
  take(): number[] {
    const due: number[] = [];
    while (this.#isDue) {
      due.push(this.#ids[this.#oldest] ?? 0);
      this.#oldest = (this.#oldest + 1) % PLACES;
      this.#count -= 1;
    }
    return due;
  }

  get #isDue(): boolean {
    return this.#count > 0 && this.#isAcknowledged[this.#oldest] === 1;
  }
}
