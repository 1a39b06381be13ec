/** The interface of the vehicle's journal, from which it recovers after a power cut. */
import { type JournalEntry } from './entry.js';

/** The vehicle’s write-ahead journal. An entry survives a power cut from the moment `append` returns. */
export interface Journal {
  /** All earlier entries, in order. */
  read(): Iterable<JournalEntry>;
  /**
   * Once it returns, the entry survives a power cut. Entries are written completely or not at all.
   *
   * @throws Error if it cannot be written; the vehicle must then not continue
   */
  append(entry: JournalEntry): void;
  /** Whether it is long enough to be compacted. */
  readonly isLong: boolean;
  /** Atomically replaces all entries by others that give the same state. */
  replace(entries: Iterable<JournalEntry>): void;
}

/** A journal in memory, lost with the process. */
export class MemoryJournal implements Journal {
  readonly isLong = false;

  read(): Iterable<JournalEntry> {
    return [];
  }

  append(): void {
    // The agent's own record suffices.
  }

  replace(): void {
    // Nothing to compact.
  }
}
