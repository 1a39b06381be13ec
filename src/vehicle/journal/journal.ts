/** Where a vehicle writes down what it does, so that it knows after a power cut where it was. */
import { type JournalEntry } from './entry.js';

/** The vehicle’s write-ahead journal. An entry survives a power cut from the moment `append` returns. */
export interface Journal {
  /** All entries from before, in their order. */
  read(): Iterable<JournalEntry>;
  /**
   * When it returns, the entry survives a power cut. It is there as a whole or not at all.
   *
   * @throws Error where it cannot be written: the vehicle must not go on then
   */
  append(entry: JournalEntry): void;
  /** Whether it has become so long that it should be replaced by what it adds up to. */
  readonly isLong: boolean;
  /** Replaces all entries by others that add up to the same, in one piece. */
  replace(entries: Iterable<JournalEntry>): void;
}

/** Forgets everything with the process. */
export class MemoryJournal implements Journal {
  readonly isLong = false;

  read(): Iterable<JournalEntry> {
    return [];
  }

  append(): void {
    // The agent's own record is all there is.
  }

  replace(): void {
    // Never long.
  }
}
