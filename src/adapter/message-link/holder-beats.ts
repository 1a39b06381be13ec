/**
 * Heartbeats of the holder of a group's session, on the topic `otaops/<group>`. Every adapter of the group listens: a
 * holder unknown to its own database belongs to another system with the same group id, that is, a copy of the database.
 */
import { type OutgoingMessage } from '../c2d-sender/index.js';

export const BEAT_MS = 1_000;
/** A holder counts as alive for this long after its last heartbeat, ms. */
const SILENT_MS = 4 * BEAT_MS;

export const beatTopic = (groupId: string): string => `otaops/${groupId}`;

export class HolderBeats {
  /** This process, as heartbeats name it. */
  readonly #holder: string;
  /** Last heartbeat of another holder. */
  #otherAt = -Infinity;
  #listeningSince = Infinity;

  constructor(holder: string) {
    this.#holder = holder;
  }

  beatOf(groupId: string): OutgoingMessage {
    return { topic: beatTopic(groupId), payload: Buffer.from(this.#holder) };
  }

  /** @param now monotonic, ms */
  listening(now: number): void {
    this.#listeningSince = now;
  }

  notListening(): void {
    this.#listeningSince = Infinity;
  }

  received(payload: Uint8Array, now: number): void {
    if (Buffer.from(payload).toString() !== this.#holder) this.#otherAt = now;
  }

  /** @param since earlier heartbeats came from a holder that has handed over since, ms */
  otherIsAlive(now: number, since: number): boolean {
    return this.#otherAt > since && now - this.#otherAt < SILENT_MS;
  }

  /** For how long another holder would have been noticed, ms; negative while not listening. */
  listenedFor(now: number): number {
    return now - this.#listeningSince;
  }
}
