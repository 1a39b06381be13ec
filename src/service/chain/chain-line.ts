/**
 * A chained record as a line of JSON Lines: its members and `hash`. There is one way to write a line (no white space,
 * members sorted by code point, only the escapes that JSON requires), so no byte of it can change unnoticed. Pure.
 */
import { compareCodePoints, type PlainJson } from '../../uptane/json/canonical-json.js';
import {
  isArray,
  isObject,
  type JsonObject,
  type JsonValue,
  OtherNumber,
} from '../../uptane/json/json-value.js';
import { BadJson, parseJson } from '../../uptane/json/parse-json.js';
import { LINK_HASH, linkHash } from './link.js';

/** A line does not have the form of a chained record; the message completes "the line …". */
export class BadChainLine extends Error {
  override readonly name = 'BadChainLine';
}

export interface ChainLine {
  /** The members without `hash`. */
  readonly record: JsonObject;
  readonly hash: string;
}

/**
 * @param record without a member `hash`
 * @returns the line without its end, and the hash, which is the previous one of the next line
 * @throws NotCanonical
 */
export function writeChainLine(
  previous: string,
  record: Readonly<Record<string, PlainJson>>,
): { readonly line: string; readonly hash: string } {
  const hash = linkHash(previous, record);
  return { line: sortedJson({ ...record, hash }), hash };
}

/** Asserts that the line is well-formed; its hash is not checked. @throws BadChainLine */
export function readChainLine(line: string): ChainLine {
  const { record, hash } = membersOf(line);
  if (typeof hash !== 'string' || !LINK_HASH.test(hash)) {
    throw new BadChainLine('has no hash of 64 lower-case hex digits');
  }
  return { record, hash };
}

function membersOf(line: string): { readonly record: JsonObject; readonly hash: unknown } {
  let value: JsonValue;
  try {
    value = parseJson(Buffer.from(line));
  } catch (error) {
    if (error instanceof BadJson) throw new BadChainLine(error.message);
    throw error;
  }
  if (!isObject(value)) throw new BadChainLine('is not an object');
  if (hasOtherNumber(value)) throw new BadChainLine('has a number that is not an integer');
  if (sortedJson(value) !== line) {
    throw new BadChainLine(
      'does not have the form of a chained line: members sorted, no white space',
    );
  }
  const record = new Map(value);
  record.delete('hash');
  return { record, hash: value.get('hash') };
}

function hasOtherNumber(value: JsonValue): boolean {
  if (value instanceof OtherNumber) return true;
  if (isObject(value)) return [...value.values()].some(hasOtherNumber);
  return isArray(value) && value.some(hasOtherNumber);
}

/** JSON without white space, members sorted by code point. */
export function sortedJson(value: JsonValue | PlainJson): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(sortedJson).join(',')}]`;
  const members =
    value instanceof Map
      ? [...(value as JsonObject)]
      : Object.entries(value as Readonly<Record<string, PlainJson>>);
  members.sort(([a], [b]) => compareCodePoints(a, b));
  const texts = members.map(([name, member]) => `${JSON.stringify(name)}:${sortedJson(member)}`);
  return `{${texts.join(',')}}`;
}

// `Array.isArray` does not narrow a union of readonly arrays.
const isList = (value: unknown): value is readonly (JsonValue | PlainJson)[] =>
  Array.isArray(value);
