/** Differences between two JSON documents, member by member. Pure. */
import { isDeepStrictEqual } from 'node:util';
import { type Difference } from '../../contract/carota-api/index.js';

type Members = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A list of objects is compared item by item. Other lists, such as VINs, are compared as one value. */
const isListOfObjects = (value: unknown): value is readonly Members[] =>
  Array.isArray(value) && value.length > 0 && value.every(isObject);

/** Escapes a member name for a JSON Pointer (RFC 6901, section 3). */
const escaped = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1');

/** @returns the differences, sorted by path */
export function differences(before: unknown, after: unknown, path = ''): Difference[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return names.flatMap((name) =>
      differences(before[name], after[name], `${path}/${escaped(name)}`),
    );
  }
  if (isListOfObjects(before) && isListOfObjects(after)) {
    const places = Array.from({ length: Math.max(before.length, after.length) }, (_, n) => n);
    return places.flatMap((place) => differences(before[place], after[place], `${path}/${place}`));
  }
  return [{ path, before: before ?? null, after: after ?? null }];
}
