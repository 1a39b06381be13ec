/** Parsed JSON as plain JavaScript values, for code that writes metadata again. */
import { type PlainJson } from './canonical-json.js';
import { isArray, isObject, type JsonValue, OtherNumber } from './json-value.js';

/** @throws TypeError for a number that is not a safe integer: signed parts have none */
export function plainJson(value: JsonValue): PlainJson {
  if (value instanceof OtherNumber) throw new TypeError(`${value.text} is not an integer`);
  if (isArray(value)) return value.map(plainJson);
  // `Object.fromEntries` defines own members, whatever their name.
  if (isObject(value)) {
    return Object.fromEntries([...value].map(([name, member]) => [name, plainJson(member)]));
  }
  return value;
}
