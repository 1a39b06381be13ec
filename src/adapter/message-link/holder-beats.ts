/**
 * Sign of life of whoever holds a group's session, on the topic `otaops/<group>`. Each adapter of a
 * group listens: a holder that its own database knows nothing of belongs to another system with the
 * same group id, made by copying the database.
 */
import { type OutgoingMessage } from '../c2d-sender/index.js';

export const BEAT_MS = 1_000;
/** So long after its last beat a holder counts as alive, ms. */
const SILENT_MS = 4 * BEAT_MS;

export const beatTopic = (groupId: string): string => `otaops/${groupId}`;

export class HolderBeats {
  /** The holder's process: what is not ours is another's. */
  readonly #holder: string;
  #heardAt = -Infinity;
  #listensSince = Infinity;

  constructor(holder: string) {
    this.#holder = holder;
  }

  beatOf(groupId: string): OutgoingMessage {
    return { topic: beatTopic(groupId), payload: Buffer.from(this.#holder) };
  }

  /** @param now monotonic, ms */
  listens(now: number): void {
    this.#listensSince = now;
  }

  deaf(): void {
    this.#listensSince = Infinity;
  }

  heard(payload: Uint8Array, now: number): void {
    if (Buffer.from(payload).toString() !== this.#holder) this.#heardAt = now;
  }

  /** @param since what was heard before, a holder said that has handed over since */
  otherIsAlive(now: number, since: number): boolean {
    return this.#heardAt > since && now - this.#heardAt < SILENT_MS;
  }

  /** For how long it would have been heard, ms; below 0 where nobody listens. */
  listenedFor(now: number): number {
    return now - this.#listensSince;
  }
}
