/**
 * Messages of vehicles that exceed their budget. They wait, in order and unacknowledged. The broker reads little from a
 * connection with a waiting message, but it still reads data that arrives in small pieces; hence the limit on waiting
 * messages.
 */
import { type MessageBudget } from '../d2c-receiver/index.js';

export interface HeldMessage {
  /** Size of the held message, bytes. */
  readonly bytes: number;
  /** Called if the message must wait: it then needs its own copy instead of a slice of a larger read buffer. */
  keep(): void;
  handOn(): void;
}

export interface HeldMessagesOptions<Connection> {
  readonly budget: MessageBudget;
  /** Called for each message that must wait. */
  readonly onHeld: (systemId: string) => void;
  /** Called once for a connection that exceeds the limit on waiting messages, in order to close it. */
  readonly onFull: (connection: Connection) => void;
}

interface Waiting {
  messages: HeldMessage[];
  bytes: number;
  isFull: boolean;
  timer: NodeJS.Timeout | undefined;
}

/** Longest pause between checks, so that an error in computing the time has little effect, ms. */
const LONGEST_PAUSE_MS = 60_000;

/** Limit per connection. Larger than the valid messages in one read, so that only a flood in small pieces reaches it. */
export const MOST_HELD = 2_000;
/** Larger than one read and the largest packet. */
export const MOST_HELD_BYTES = 2 * 1024 * 1024;

export class HeldMessages<Connection extends object> {
  readonly #options: HeldMessagesOptions<Connection>;
  readonly #waiting = new Map<Connection, Waiting>();

  constructor(options: HeldMessagesOptions<Connection>) {
    this.#options = options;
  }

  /** Passes a message on, now or as soon as its vehicle's budget allows. */
  pass(connection: Connection, systemId: string, message: HeldMessage): void {
    const held = this.#waiting.get(connection);
    const waitMs = held ? 0 : this.#take(systemId);
    if (!held && waitMs === 0) {
      message.handOn();
      return;
    }
    // The connection is closing, but data may still have been read from it.
    if (held?.isFull) return;
    this.#options.onHeld(systemId);
    const waiting = held ?? this.#hold(connection, systemId, waitMs);
    if (waiting.messages.length >= MOST_HELD || waiting.bytes + message.bytes > MOST_HELD_BYTES) {
      clearTimeout(waiting.timer);
      Object.assign(waiting, { isFull: true, messages: [], bytes: 0 });
      this.#options.onFull(connection);
      return;
    }
    message.keep();
    waiting.messages.push(message);
    waiting.bytes += message.bytes;
  }

  /** The connection has closed: its vehicle sends unacknowledged messages again. */
  drop(connection: Connection): void {
    const held = this.#waiting.get(connection);
    if (!held) return;
    clearTimeout(held.timer);
    this.#waiting.delete(connection);
  }

  close(): void {
    for (const connection of [...this.#waiting.keys()]) this.drop(connection);
  }

  #take(systemId: string): number {
    return this.#options.budget.take(systemId, performance.now());
  }

  #hold(connection: Connection, systemId: string, waitMs: number): Waiting {
    const waiting: Waiting = { messages: [], bytes: 0, isFull: false, timer: undefined };
    this.#waiting.set(connection, waiting);
    this.#releaseIn(waitMs, connection, systemId, waiting);
    return waiting;
  }

  #releaseIn(waitMs: number, connection: Connection, systemId: string, waiting: Waiting): void {
    waiting.timer = setTimeout(
      () => this.#release(connection, systemId, waiting),
      Math.min(Math.ceil(waitMs), LONGEST_PAUSE_MS),
    ).unref();
  }

  #release(connection: Connection, systemId: string, waiting: Waiting): void {
    while (waiting.messages.length > 0) {
      const waitMs = this.#take(systemId);
      if (waitMs > 0) {
        this.#releaseIn(waitMs, connection, systemId, waiting);
        return;
      }
      const message = waiting.messages.shift();
      waiting.bytes -= message?.bytes ?? 0;
      message?.handOn();
    }
    if (!waiting.isFull) this.#waiting.delete(connection);
  }
}
