/**
 * Canonical JSON (OLPC): the byte sequence covered by signatures and key ids. No white space, members
 * sorted by code point, strings escape only `"` and `\`, integers within ±(2^53-1) only, UTF-8.
 */
import { type JsonObject, type JsonValue, OtherNumber } from './json-value.js';

/** Plain JavaScript values, for code that creates metadata. */
export type PlainJson =
  null | boolean | number | string | readonly PlainJson[] | { readonly [name: string]: PlainJson };

/** The value has no canonical form. */
export class NotCanonical extends Error {
  override readonly name = 'NotCanonical';
}

/** @throws NotCanonical for a fraction, an integer beyond ±(2^53-1), or a lone surrogate */
export function canonicalJson(value: JsonValue | PlainJson): Buffer {
  const parts: string[] = [];
  write(value, parts);
  return Buffer.from(parts.join(''), 'utf8');
}

function write(value: JsonValue | PlainJson, parts: string[]): void {
  if (value === null || typeof value === 'boolean') parts.push(String(value));
  else if (typeof value === 'number') parts.push(integer(value));
  else if (typeof value === 'string') parts.push(quoted(value));
  else if (isList(value)) {
    parts.push('[');
    value.forEach((item, index) => {
      if (index > 0) parts.push(',');
      write(item, parts);
    });
    parts.push(']');
  } else if (value instanceof OtherNumber) throw new NotCanonical(notAnInteger(value.text));
  else writeObject(value, parts);
}

// `Array.isArray` does not narrow a union of readonly arrays.
const isList = (value: unknown): value is readonly (JsonValue | PlainJson)[] =>
  Array.isArray(value);

function writeObject(value: object, parts: string[]): void {
  const members =
    value instanceof Map
      ? [...(value as JsonObject)]
      : Object.entries(value as Readonly<Record<string, PlainJson>>);
  members.sort(([a], [b]) => compareCodePoints(a, b));
  parts.push('{');
  members.forEach(([name, member], index) => {
    if (index > 0) parts.push(',');
    parts.push(quoted(name), ':');
    write(member, parts);
  });
  parts.push('}');
}

function integer(value: number): string {
  if (!Number.isSafeInteger(value)) throw new NotCanonical(notAnInteger(String(value)));
  return String(value);
}

const notAnInteger = (text: string) =>
  `has the number ${text.slice(0, 40)}, which is no integer within ±(2^53-1)`;

function quoted(text: string): string {
  if (!text.isWellFormed()) throw new NotCanonical('has a string with half a surrogate pair');
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/**
 * Order by code point. JavaScript's own order is that of UTF-16 units, in which a character beyond the
 * Basic Multilingual Plane comes before U+E000 to U+FFFF.
 */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const unitA = a.charCodeAt(index);
    const unitB = b.charCodeAt(index);
    if (unitA !== unitB)
      return isSurrogate(unitA) === isSurrogate(unitB)
        ? unitA - unitB
        : isSurrogate(unitA)
          ? 1
          : -1;
  }
  return a.length - b.length;
}

const isSurrogate = (unit: number) => unit >= 0xd800 && unit <= 0xdfff;
