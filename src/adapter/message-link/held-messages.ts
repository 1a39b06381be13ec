/**
 * Messages of connections whose vehicles send more than their budget. They wait, in order and without an acknowledgement; as
 * the broker reads no more of a connection while a message of it waits, no more wait than one reading had.
 */
import { type MessageBudget } from '../d2c-receiver/index.js';

export interface HeldMessagesOptions {
  readonly budget: MessageBudget;
  /** Called for each message that has to wait. */
  readonly onHeld: (systemId: string) => void;
}

/** So that an error in reckoning time costs little, ms. */
const LONGEST_PAUSE_MS = 60_000;

export class HeldMessages<Connection extends object> {
  readonly #options: HeldMessagesOptions;
  readonly #waiting = new Map<Connection, { messages: (() => void)[]; timer: NodeJS.Timeout }>();

  constructor(options: HeldMessagesOptions) {
    this.#options = options;
  }

  /** Hands a message on: now, or as soon as the budget of its vehicle allows. */
  pass(connection: Connection, systemId: string, handOn: () => void): void {
    const held = this.#waiting.get(connection);
    const waitMs = held ? 0 : this.#take(systemId);
    if (!held && waitMs === 0) {
      handOn();
      return;
    }
    this.#options.onHeld(systemId);
    if (held) held.messages.push(handOn);
    else this.#hold(connection, systemId, [handOn], waitMs);
  }

  /** The connection has closed: its vehicle sends again what was not acknowledged. */
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

  #hold(connection: Connection, systemId: string, messages: (() => void)[], waitMs: number): void {
    const timer = setTimeout(
      () => this.#release(connection, systemId, messages),
      Math.min(Math.ceil(waitMs), LONGEST_PAUSE_MS),
    ).unref();
    this.#waiting.set(connection, { messages, timer });
  }

  #release(connection: Connection, systemId: string, messages: (() => void)[]): void {
    while (messages.length > 0) {
      const waitMs = this.#take(systemId);
      if (waitMs > 0) {
        this.#hold(connection, systemId, messages, waitMs);
        return;
      }
      messages.shift()?.();
    }
    this.#waiting.delete(connection);
  }
}
