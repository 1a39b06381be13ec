/** An outbox that sends the newer of two messages first while that is switched on. */
import { MemoryOutbox, type OutgoingMessage } from '../vehicle/index.js';

/** A message waits so long for one that may overtake it, ms. */
const HOLD_MS = 500;

export class ReorderingOutbox extends MemoryOutbox {
  reorders = false;
  readonly #onDue: () => void;
  #held: { readonly messageId: string; readonly timer: NodeJS.Timeout } | undefined;

  /** @param onDue something that was held may be sent now */
  constructor(onDue: () => void) {
    super();
    this.#onDue = onDue;
  }

  override add(message: OutgoingMessage): void {
    super.add(message);
    if (!this.reorders || this.#held) return;
    const timer = setTimeout(() => this.#release(), HOLD_MS);
    this.#held = { messageId: message.messageId, timer };
  }

  /** The oldest message, but for one that is held. */
  override first(): OutgoingMessage | undefined {
    const held = this.#held?.messageId;
    for (const message of this.messages()) {
      if (message.messageId !== held) {
        // It has been overtaken, that is enough.
        this.#release();
        return message;
      }
    }
    return undefined;
  }

  #release(): void {
    if (!this.#held) return;
    clearTimeout(this.#held.timer);
    this.#held = undefined;
    setImmediate(this.#onDue);
  }
}
