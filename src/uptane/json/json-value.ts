/**
 * JSON values for metadata: objects are maps, so that no member name is special (`__proto__`), and
 * numbers other than safe integers have their own type, because canonical JSON excludes them.
 */
export type JsonValue =
  null | boolean | number | string | OtherNumber | readonly JsonValue[] | JsonObject;

export type JsonObject = ReadonlyMap<string, JsonValue>;

/** A number with a fraction or an exponent, or beyond ±(2^53-1), as originally written. */
export class OtherNumber {
  constructor(readonly text: string) {}
}

export const isObject = (value: JsonValue | undefined): value is JsonObject => value instanceof Map;

export const isArray = (value: JsonValue | undefined): value is readonly JsonValue[] =>
  Array.isArray(value);

/** How an error message names the type of a value. */
export function typeName(value: JsonValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (isObject(value)) return 'an object';
  if (isArray(value)) return 'an array';
  if (value instanceof OtherNumber) return `the number ${value.text.slice(0, 40)}`;
  if (typeof value === 'string') return 'a string';
  if (typeof value === 'number') return `the number ${value}`;
  return String(value);
}
