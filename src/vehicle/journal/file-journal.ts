/** A journal in a file: one line of JSON per entry, with a checksum, synced to disk. */
import { closeSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { type JournalEntry } from './entry.js';
import { replaceFile, syncDirectory, writeAll } from '../durable-file.js';
import { type Journal } from './journal.js';

/** Compacted from this length on, bytes … */
const LONG_BYTES = 256 * 1024;
/** … but not before it has at least this many times the compacted size. */
const LONG_TIMES = 4;

const ABOUT_DELIVERIES = new Set<JournalEntry['kind']>(['delivered', 'certain', 'repeat']);

/** The journal is damaged in the middle: nothing after the damage can be trusted. */
class JournalDamaged extends Error {
  override readonly name = 'JournalDamaged';
}

/** A journal in one file: one line per entry, each with a checksum and on disk before `append` returns. */
export class FileJournal implements Journal {
  readonly #path: string;
  readonly #before: JournalEntry[];
  #file: number;
  #bytes: number;
  /** Length after the last compaction. */
  #shortest = 0;

  /** @throws JournalDamaged; Error if the file cannot be read or written */
  constructor(path: string) {
    this.#path = path;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const { entries, bytes } = readJournal(path);
    this.#before = entries;
    this.#bytes = bytes;
    this.#file = openSync(path, 'a', 0o600);
    // Drops an entry that a power cut left incomplete.
    ftruncateSync(this.#file, bytes);
    fsyncSync(this.#file);
    syncDirectory(dirname(path));
  }

  read(): Iterable<JournalEntry> {
    return this.#before;
  }

  get isLong(): boolean {
    return this.#bytes > Math.max(LONG_BYTES, LONG_TIMES * this.#shortest);
  }

  append(entry: JournalEntry): void {
    const line = lineOf(entry);
    try {
      writeAll(this.#file, line);
      // A forgotten delivery costs a duplicate, which the cloud recognises.
      if (!ABOUT_DELIVERIES.has(entry.kind)) fsyncSync(this.#file);
    } catch (error) {
      // No partial line may precede the next one.
      ftruncateSync(this.#file, this.#bytes);
      throw error;
    }
    this.#bytes += line.length;
  }

  replace(entries: Iterable<JournalEntry>): void {
    const content = Buffer.concat([...entries].map(lineOf));
    replaceFile(this.#path, content);
    closeSync(this.#file);
    this.#file = openSync(this.#path, 'a', 0o600);
    this.#bytes = this.#shortest = content.length;
  }

  /** Closes the file. Nothing can be appended afterwards. */
  close(): void {
    closeSync(this.#file);
  }
}

function lineOf(entry: JournalEntry): Buffer {
  const text = JSON.stringify(entry);
  return Buffer.from(`${checksum(text)} ${text}\n`);
}

const checksum = (text: string) => crc32(text).toString(16).padStart(8, '0');

/** @returns the entries, and the length of the file up to the end of the last complete one */
function readJournal(path: string): { entries: JournalEntry[]; bytes: number } {
  const content = contentOf(path);
  const entries: JournalEntry[] = [];
  let bytes = 0;
  while (bytes < content.length) {
    const end = content.indexOf(0x0a, bytes);
    const entry = end < 0 ? undefined : entryIn(content.toString('utf8', bytes, end));
    if (entry === undefined) {
      if (end < 0 || end === content.length - 1) break;
      throw new JournalDamaged(`${path} is damaged at byte ${bytes}`);
    }
    entries.push(entry);
    bytes = end + 1;
  }
  return { entries, bytes };
}

function entryIn(line: string): JournalEntry | undefined {
  const text = line.slice(9);
  return line.startsWith(`${checksum(text)} `) ? (JSON.parse(text) as JournalEntry) : undefined;
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}
