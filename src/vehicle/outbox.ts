/**
 * Store-and-forward queue of a vehicle: a message stays in it until the platform has acknowledged
 * it, under one message_id however often it is sent.
 */

export interface OutgoingMessage {
  readonly messageId: string;
  /** The envelope as JSON text. */
  readonly payload: string;
}

/** Messages that the cloud has not acknowledged yet, oldest first. */
export interface Outbox {
  /** Appends a message. */
  add(message: OutgoingMessage): void;
  /** Messages that have to be sent again, oldest first: before all that wait. */
  putBack(messages: readonly OutgoingMessage[]): void;
  /** The oldest message that is not acknowledged. */
  first(): OutgoingMessage | undefined;
  /** Removes a message that was acknowledged. One that is not there is ignored. */
  remove(messageId: string): void;
  /** How many messages wait. */
  readonly size: number;
}

/** An outbox in memory, for vehicles without a journal. */
export class MemoryOutbox implements Outbox {
  // Keeps the order in which messages were added.
  readonly #messages = new Map<string, OutgoingMessage>();

  add(message: OutgoingMessage): void {
    this.#messages.set(message.messageId, message);
  }

  putBack(messages: readonly OutgoingMessage[]): void {
    const waiting = [...this.#messages.values()];
    this.#messages.clear();
    for (const message of [...messages, ...waiting]) {
      this.#messages.set(message.messageId, message);
    }
  }

  first(): OutgoingMessage | undefined {
    for (const message of this.messages()) return message;
    return undefined;
  }

  /** All that wait, oldest first. */
  protected messages(): IterableIterator<OutgoingMessage> {
    return this.#messages.values();
  }

  remove(messageId: string): void {
    this.#messages.delete(messageId);
  }

  /** How many messages wait. */
  get size(): number {
    return this.#messages.size;
  }
}
