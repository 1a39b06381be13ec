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
export const canonicalJson = (value: JsonValue | PlainJson): Buffer =>
  Buffer.from(textOf(value), 'utf8');

function textOf(value: JsonValue | PlainJson): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'number') return integer(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (isList(value)) return listText(value);
  if (value instanceof OtherNumber) throw new NotCanonical(notAnInteger(value.text));
  return objectText(value);
}

// `Array.isArray` does not narrow a union of readonly arrays.
const isList = (value: unknown): value is readonly (JsonValue | PlainJson)[] =>
  Array.isArray(value);

// Concatenated text is faster than a list of pieces, and a server does this for every report.
function listText(items: readonly (JsonValue | PlainJson)[]): string {
  let text = '';
  for (const item of items) text += text === '' ? textOf(item) : `,${textOf(item)}`;
  return `[${text}]`;
}

function objectText(value: object): string {
  const members =
    value instanceof Map
      ? [...(value as JsonObject)]
      : Object.entries(value as Readonly<Record<string, PlainJson>>);
  members.sort(byName);
  let text = '';
  for (const [name, member] of members) {
    text += `${text === '' ? '' : ','}${quoted(name)}:${textOf(member)}`;
  }
  return `{${text}}`;
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) =>
  compareCodePoints(a, b);

function integer(value: number): string {
  if (!Number.isSafeInteger(value)) throw new NotCanonical(notAnInteger(String(value)));
  return String(value);
}

const notAnInteger = (text: string) =>
  `has the number ${text.slice(0, 40)}, which is not an integer within ±(2^53-1)`;

function quoted(text: string): string {
  if (!text.isWellFormed()) throw new NotCanonical('has a string with half a surrogate pair');
  return text.includes('"') || text.includes('\\')
    ? `"${text.replace(/["\\]/g, '\\$&')}"`
    : `"${text}"`;
}

/**
 * Order by code point. JavaScript orders by UTF-16 units, in which a character beyond the Basic Multilingual Plane comes
 * before U+E000 to U+FFFF.
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
