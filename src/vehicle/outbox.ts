/**
 * Store-and-forward queue of a vehicle: a message stays in it until the broker has acknowledged
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
  /** Inserts messages that must be repeated, oldest first, before all others. */
  putBack(messages: readonly OutgoingMessage[]): void;
  /** The oldest unacknowledged message. */
  first(): OutgoingMessage | undefined;
  /** Removes an acknowledged message; unknown ones are ignored. */
  remove(messageId: string): void;
  /** Number of queued messages. */
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

  /** All queued messages, oldest first. */
  protected messages(): IterableIterator<OutgoingMessage> {
    return this.#messages.values();
  }

  remove(messageId: string): void {
    this.#messages.delete(messageId);
  }

  /** Number of queued messages. */
  get size(): number {
    return this.#messages.size;
  }
}
