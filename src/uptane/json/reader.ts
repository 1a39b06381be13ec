/** Reads members of parsed JSON by type; rejects missing members and wrong types, with their path. */
import { POUF } from '../checks/sections.js';
import { Refusal, type Subject } from '../refusal.js';
import { type PlainJson } from './canonical-json.js';
import {
  isArray,
  isObject,
  type JsonObject,
  type JsonValue,
  OtherNumber,
  typeName,
} from './json-value.js';

export class Reader {
  readonly value: JsonValue | undefined;
  readonly #subject: Subject;
  readonly #parent: Reader | undefined;
  readonly #name: string | number;

  constructor(
    value: JsonValue | undefined,
    subject: Subject,
    name: string | number = '',
    parent?: Reader,
  ) {
    this.value = value;
    this.#subject = subject;
    this.#name = name;
    this.#parent = parent;
  }

  /** Whether the member exists. */
  get exists(): boolean {
    return this.value !== undefined;
  }

  member(name: string): Reader {
    return new Reader(this.object().get(name), this.#subject, name, this);
  }

  /** `undefined` if the member does not exist. */
  optional(name: string): Reader | undefined {
    const member = this.member(name);
    return member.exists ? member : undefined;
  }

  object(): JsonObject {
    return isObject(this.value) ? this.value : this.#refuse('an object');
  }

  /** The members in the order of the file. */
  members(): [name: string, member: Reader][] {
    return [...this.object()].map(([name, value]) => [
      name,
      new Reader(value, this.#subject, name, this),
    ]);
  }

  items(): Reader[] {
    if (!isArray(this.value)) return this.#refuse('an array');
    return this.value.map((value, index) => new Reader(value, this.#subject, index, this));
  }

  string(): string {
    return typeof this.value === 'string' ? this.value : this.#refuse('a string');
  }

  strings(): string[] {
    return this.items().map((item) => item.string());
  }

  /** As plain JavaScript values, for code that writes metadata again: every number in it is a safe integer. */
  plainObject(): Readonly<Record<string, PlainJson>> {
    // `Object.fromEntries` defines own members for any name.
    return Object.fromEntries(this.members().map(([name, member]) => [name, member.#plain()]));
  }

  #plain(): PlainJson {
    if (this.value === undefined || this.value instanceof OtherNumber) {
      return this.#refuse('an integer within ±(2^53-1)');
    }
    if (isArray(this.value)) return this.items().map((item) => item.#plain());
    if (isObject(this.value)) return this.plainObject();
    return this.value;
  }

  boolean(): boolean {
    return typeof this.value === 'boolean' ? this.value : this.#refuse('true or false');
  }

  /** A whole number of at least `least`. */
  integer(least = Number.MIN_SAFE_INTEGER): number {
    if (typeof this.value === 'number' && this.value >= least) return this.value;
    const bound = least === Number.MIN_SAFE_INTEGER ? '' : ` of at least ${least}`;
    return this.#refuse(`an integer${bound}`);
  }

  /** Rejects a value of the right type. */
  refuse(expected: string): never {
    return this.#refuse(expected, JSON.stringify(this.value));
  }

  #refuse(expected: string, found = typeName(this.value)): never {
    throw new Refusal(this.#subject, {
      code: 'malformed',
      check: POUF.metadata,
      fault: `${this.#path()} is ${this.exists ? 'wrong' : 'missing'}`,
      expected,
      found,
    });
  }

  /** Like a JSON pointer, but with dots: `signed.roles.root.threshold`. */
  #path(): string {
    const above = this.#parent ? this.#parent.#path() : '';
    const name = typeof this.#name === 'number' ? `[${this.#name}]` : this.#name;
    if (above === '') return name;
    return typeof this.#name === 'number' ? `${above}${name}` : `${above}.${name}`;
  }
}
