/** The parts that a server has opened: closed in reverse order when it stops, or when its start fails. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger } from 'pino';

interface Part {
  readonly name: string;
  readonly close: () => unknown;
}

/** A part that takes longer to close is logged by name, ms. */
const SLOW_MS = 2_000;
/** How long a stop waits for all parts together, ms. */
const STOP_MS = 9_000;

export class OpenedParts {
  readonly #log: Logger;
  readonly #parts: Part[] = [];

  constructor(log: Logger) {
    this.#log = log;
  }

  /** @param name for the log */
  add(name: string, close: () => unknown): void {
    this.#parts.push({ name, close });
  }

  /** A part that fails to close does not keep the others open; the failure is logged. */
  async closeAll(): Promise<void> {
    for (const { name, close } of this.#parts.splice(0).reverse()) {
      const slow = setTimeout(
        () => this.#log.warn({ part: name }, 'takes a long time to close'),
        SLOW_MS,
      );
      try {
        await close();
      } catch (error) {
        this.#log.error({ err: error, part: name }, 'did not close');
      }
      clearTimeout(slow);
    }
  }

  /** The same with a time limit: parts that hang, e.g. on a server that does not answer, are abandoned. */
  async stop(): Promise<void> {
    await Promise.race([this.closeAll(), sleep(STOP_MS, undefined, { ref: false })]);
  }
}
