/**
 * Parses a large JSON body without blocking the event loop: the elements of its long lists are parsed in pieces, and other
 * requests are served in between. Lists are all that makes an honest body large, so everything outside of them, the number
 * of values and the depth are limited.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { jsonFault } from './json-fault.js';
import { Problem } from './problem.js';

/** Larger bodies are parsed in pieces; a piece ends with the first element that exceeds this, bytes. */
const PIECE_BYTES = 64 * 1024;
/** Scanned between two turns of the event loop, bytes. */
const SLICE_BYTES = 256 * 1024;
/** Limit on the JSON outside of long lists, bytes. */
const MAX_OUTLINE_BYTES = 1024 * 1024;
/** Limit on the values of a body: enough for a million VINs and the fields around them. */
const MAX_VALUES = 2_000_000;
const MAX_DEPTH = 64;
/** A longer piece is one element; only its start is reported, because searching for the fault would block, bytes. */
const MAX_SEARCHED_BYTES = 1024 * 1024;

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Stands for a list in the outline; random, so that no body can contain it. */
const LIST = `list ${crypto.randomUUID()}`;

/**
 * @param bytes UTF-8
 * @throws Problem 400 NOT_JSON with line and column, 413 BODY_TOO_LARGE
 */
export async function parseLargeJson(bytes: Buffer): Promise<unknown> {
  const scan = new Scan(bytes);
  for (let end = 0; end < bytes.length;) {
    end = Math.min(end + SLICE_BYTES, bytes.length);
    scan.advanceTo(end);
    await nextTurn();
  }
  return scan.finish();
}

/** A list that no other list contains, from its opening bracket. */
interface OpenList {
  readonly start: number;
  readonly depth: number;
  /** Start of the elements that have not been parsed yet. */
  from: number;
  readonly items: unknown[];
}

interface ParsedList {
  readonly start: number;
  readonly end: number;
  readonly items: unknown[];
}

/** Finds where lists and their elements end, and parses them as it passes. */
class Scan {
  readonly #bytes: Buffer;
  /** Of each open list or object its opening bracket. */
  readonly #open: number[] = [];
  readonly #lists: ParsedList[] = [];
  #list: OpenList | undefined;
  #at = 0;
  #inString = false;
  #values = 1;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  advanceTo(end: number): void {
    const bytes = this.#bytes;
    while (this.#at < end) {
      const byte = bytes[this.#at];
      if (byte === QUOTE) this.#inString = !this.#inString;
      // The escaped byte may be in the next slice.
      else if (this.#inString && byte === BACKSLASH) this.#at += 1;
      else if (!this.#inString) this.#structure(byte);
      this.#at += 1;
    }
  }

  #structure(byte: number | undefined): void {
    switch (byte) {
      case OPEN_LIST:
      case OPEN_OBJECT:
        this.#begin(byte);
        break;
      case CLOSE_LIST:
        this.#end(OPEN_LIST);
        break;
      case CLOSE_OBJECT:
        this.#end(OPEN_OBJECT);
        break;
      case COMMA:
        this.#count();
        this.#separate();
        break;
      default:
    }
  }

  #begin(bracket: number): void {
    this.#count();
    this.#open.push(bracket);
    if (this.#open.length > MAX_DEPTH) throw this.#fault(this.#at, 'nested too deep');
    if (bracket !== OPEN_LIST || this.#list) return;
    this.#list = { start: this.#at, depth: this.#open.length, from: this.#at + 1, items: [] };
  }

  #end(bracket: number): void {
    const list = this.#list;
    if (this.#open.at(-1) !== bracket) throw this.#fault(this.#at, 'unexpected bracket');
    if (list?.depth === this.#open.length) {
      if (list.items.length > 0) {
        this.#parseTo(this.#at);
        this.#lists.push({ start: list.start, end: this.#at + 1, items: list.items });
      }
      this.#list = undefined;
    }
    this.#open.pop();
  }

  #separate(): void {
    const list = this.#list;
    if (list?.depth !== this.#open.length || this.#at - list.from < PIECE_BYTES) return;
    this.#parseTo(this.#at);
    list.from = this.#at + 1;
  }

  #parseTo(end: number): void {
    const list = this.#list;
    if (!list) return;
    const text = this.#bytes.toString('utf8', list.from, end);
    let items: unknown[] = [];
    try {
      items = JSON.parse(`[${text}]`) as unknown[];
    } catch {
      throw this.#faultIn(text, list.from);
    }
    // Nothing between two commas, or after the last one.
    if (items.length === 0) throw this.#fault(end, 'ValueExpected');
    for (const item of items) list.items.push(item);
  }

  #count(): void {
    this.#values += 1;
    if (this.#values > MAX_VALUES) {
      throw new Problem('BODY_TOO_LARGE', `the body has more than ${MAX_VALUES} values`);
    }
  }

  /** @throws Problem */
  finish(): unknown {
    if (this.#list) throw this.#fault(this.#bytes.length, 'CloseBracketExpected');
    const { text, offsetOf } = this.#outline();
    if (text.length > MAX_OUTLINE_BYTES) {
      const message = `the body has more than ${MAX_OUTLINE_BYTES} bytes outside of long lists`;
      throw new Problem('BODY_TOO_LARGE', message);
    }
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      const fault = jsonFault(text);
      throw this.#fault(offsetOf(fault.offset), fault.name);
    }
    return this.#lists.length === 0 ? value : this.#filled(value);
  }

  /** The body with a mark in place of each parsed list. */
  #outline() {
    const parts: string[] = [];
    // Start of each part in the outline and in the body.
    const begins: { readonly outline: number; readonly body: number }[] = [];
    let from = this.#bytes.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0;
    let length = 0;
    const add = (text: string, body: number) => {
      begins.push({ outline: length, body });
      parts.push(text);
      length += text.length;
    };
    this.#lists.forEach(({ start, end }, index) => {
      add(this.#bytes.toString('utf8', from, start), from);
      add(JSON.stringify({ [LIST]: index }), start);
      from = end;
    });
    add(this.#bytes.toString('utf8', from), from);
    const offsetOf = (offset: number) => {
      const part = begins.findLast(({ outline }) => outline <= offset) ?? { outline: 0, body: 0 };
      return part.body + (offset - part.outline);
    };
    return { text: parts.join(''), offsetOf };
  }

  /** Puts the lists in the place of their marks; only the outline is walked. */
  #filled(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    if (Object.hasOwn(value, LIST)) {
      return this.#lists[(value as Record<string, number>)[LIST] ?? -1]?.items;
    }
    if (Array.isArray(value)) return value;
    for (const [key, member] of Object.entries(value)) {
      const filled = this.#filled(member);
      if (filled !== member) (value as Record<string, unknown>)[key] = filled;
    }
    return value;
  }

  #faultIn(text: string, from: number): Problem {
    if (text.length > MAX_SEARCHED_BYTES) return this.#fault(from, 'invalid element');
    const { name, offset } = jsonFault(`[${text}]`);
    return this.#fault(from + Buffer.byteLength(text.slice(0, Math.max(0, offset - 1))), name);
  }

  #fault(offset: number, name: string): Problem {
    const before = this.#bytes.subarray(0, offset);
    let line = 1;
    for (let at = before.indexOf('\n'); at >= 0; at = before.indexOf('\n', at + 1)) line += 1;
    const column = before.toString('utf8', before.lastIndexOf('\n') + 1).length + 1;
    const where = `${name} at line ${line}, column ${column}`;
    return new Problem('NOT_JSON', `the body is not JSON: ${where}`);
  }
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
