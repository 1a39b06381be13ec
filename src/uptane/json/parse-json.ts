/**
 * A strict JSON parser (RFC 8259) for potentially hostile files. Beyond `JSON.parse` it rejects
 * invalid UTF-8, byte order marks, duplicate member names, lone surrogates, and nesting that would exhaust
 * the stack: anything that two parsers of a signed file could interpret differently.
 */
import { type JsonValue, OtherNumber } from './json-value.js';

/** The bytes are not JSON; the message names the position. */
export class BadJson extends Error {
  override readonly name = 'BadJson';
}

/** Levels of objects and arrays; metadata has about ten. */
const DEEPEST = 1_000;

/** @throws BadJson */
export function parseJson(bytes: Uint8Array): JsonValue {
  return new Parser(decode(bytes)).parse();
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes: Uint8Array): string {
  try {
    return UTF_8.decode(bytes);
  } catch {
    throw new BadJson('is not valid UTF-8');
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x20;
const SPACE = 0x20;

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const HEX4 = /[0-9a-fA-F]{4}/y;
const BLANKS = /[ \t\n\r]*/y;

const ESCAPED: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): JsonValue {
    const value = this.#value();
    this.#skipBlanks();
    if (this.#at < this.#text.length) this.#fail('there is more after the end');
    return value;
  }

  #value(): JsonValue {
    this.#skipBlanks();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      case undefined:
        return this.#fail('the file ends too early');
      default:
        return this.#number();
    }
  }

  #object(): JsonValue {
    const members = new Map<string, JsonValue>();
    this.#enter();
    if (!this.#takes('}')) {
      do {
        this.#skipBlanks();
        if (this.#text[this.#at] !== '"') this.#fail('expected a member name');
        const start = this.#at;
        const name = this.#string();
        if (members.has(name)) {
          this.#at = start;
          this.#fail(`the member ${JSON.stringify(name.slice(0, 80))} is repeated`);
        }
        this.#expect(':');
        members.set(name, this.#value());
      } while (this.#takes(','));
      this.#expect('}');
    }
    this.#depth -= 1;
    return members;
  }

  #array(): JsonValue {
    const items: JsonValue[] = [];
    this.#enter();
    if (!this.#takes(']')) {
      do items.push(this.#value());
      while (this.#takes(','));
      this.#expect(']');
    }
    this.#depth -= 1;
    return items;
  }

  #enter(): void {
    this.#at += 1;
    this.#depth += 1;
    if (this.#depth > DEEPEST)
      this.#fail(`objects and arrays are nested more than ${DEEPEST} deep`);
  }

  #string(): string {
    const text = this.#text;
    const first = this.#at + 1;
    let at = first;
    for (; ; at += 1) {
      const unit = text.charCodeAt(at);
      if (unit === QUOTE) {
        this.#at = at + 1;
        // Decoded from valid UTF-8 without escapes, so surrogates come in pairs.
        return text.slice(first, at);
      }
      if (unit === BACKSLASH) return this.#stringWithEscapes(first, at);
      if (!(unit >= FIRST_PRINTABLE)) this.#failAt(at, 'a string is not terminated');
    }
  }

  #stringWithEscapes(first: number, firstEscape: number): string {
    const text = this.#text;
    const parts = [text.slice(first, firstEscape)];
    let at = firstEscape;
    for (;;) {
      const unit = text.charCodeAt(at);
      if (unit === QUOTE) break;
      if (unit === BACKSLASH) {
        const letter = text[at + 1] ?? '';
        if (letter === 'u') {
          HEX4.lastIndex = at + 2;
          const digits = HEX4.exec(text)?.[0];
          if (digits === undefined) this.#failAt(at, 'an escape sequence is wrong');
          parts.push(String.fromCharCode(Number.parseInt(digits, 16)));
          at += 6;
        } else {
          const character = Object.hasOwn(ESCAPED, letter) ? ESCAPED[letter] : undefined;
          if (character === undefined) this.#failAt(at, 'an escape sequence is wrong');
          parts.push(character);
          at += 2;
        }
      } else {
        if (!(unit >= FIRST_PRINTABLE)) this.#failAt(at, 'a string is not terminated');
        let end = at + 1;
        for (let next = text.charCodeAt(end); ; next = text.charCodeAt(end)) {
          if (next === QUOTE || next === BACKSLASH || !(next >= FIRST_PRINTABLE)) break;
          end += 1;
        }
        parts.push(text.slice(at, end));
        at = end;
      }
    }
    const value = parts.join('');
    if (!value.isWellFormed()) this.#failAt(first, 'a string has half a surrogate pair');
    this.#at = at + 1;
    return value;
  }

  #number(): JsonValue {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) return this.#fail('expected a value');
    this.#at = NUMBER.lastIndex;
    const [text, fraction, exponent] = match;
    const value = Number(text);
    const isInteger = fraction === undefined && exponent === undefined;
    // Turns -0 into 0.
    return isInteger && Number.isSafeInteger(value) ? value + 0 : new OtherNumber(text);
  }

  #word<T extends JsonValue>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#fail('expected a value');
    this.#at += word.length;
    return value;
  }

  #skipBlanks(): void {
    // Usually there are none, and a search is expensive.
    if (this.#text.charCodeAt(this.#at) > SPACE) return;
    BLANKS.lastIndex = this.#at;
    BLANKS.exec(this.#text);
    this.#at = BLANKS.lastIndex;
  }

  #takes(mark: string): boolean {
    this.#skipBlanks();
    if (this.#text[this.#at] !== mark) return false;
    this.#at += 1;
    return true;
  }

  #expect(mark: string): void {
    if (!this.#takes(mark)) this.#fail(`expected ${mark}`);
  }

  #failAt(at: number, fault: string): never {
    this.#at = at;
    return this.#fail(fault);
  }

  #fail(fault: string): never {
    const before = this.#text.slice(0, this.#at);
    const line = before.split('\n').length;
    const column = before.length - before.lastIndexOf('\n');
    throw new BadJson(`is not JSON: line ${line}, column ${column}: ${fault}`);
  }
}
