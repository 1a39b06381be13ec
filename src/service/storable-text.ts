/** Finds text that a database cannot store: NUL and lone surrogates. Pure. */
import { type FieldError } from '../contract/index.js';

/** Maximum nesting of JSON: deeper JSON is not a real message, and would exhaust the stack. */
const MAX_DEPTH = 64;

/** The fault of a text; undefined if there is none. */
export function textFault(text: string): string | undefined {
  if (text.includes('\0')) return 'must not contain the character NUL';
  if (!text.isWellFormed()) return 'must not contain half of a surrogate pair';
  return undefined;
}

/**
 * The first fault in any text of a JSON value, including keys. The key `__proto__` is a fault too, because an object built
 * from such an entry gets a different prototype.
 */
export function unstorable(value: unknown, path = '', depth = 0): FieldError | undefined {
  if (typeof value === 'string') {
    const message = textFault(value);
    return message === undefined ? undefined : { path, message };
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth >= MAX_DEPTH) return { path, message: 'is nested too deep' };
  for (const [key, entry] of Object.entries(value)) {
    const message = key === '__proto__' ? 'is not a field that is taken' : textFault(key);
    const here = `${path}/${pointerToken(key)}`;
    const fault = message === undefined ? unstorable(entry, here, depth + 1) : undefined;
    if (message !== undefined) return { path: here, message };
    if (fault) return fault;
  }
  return undefined;
}

/** Escapes a key for a JSON Pointer (RFC 6901) and makes it storable. */
const pointerToken = (key: string) =>
  key.toWellFormed().replaceAll('\0', '\uFFFD').replaceAll('~', '~0').replaceAll('/', '~1');

/** Whether JSON text may contain characters that cannot be stored; in valid JSON they need an escape. */
export const mayBeUnstorable = (json: string | Buffer): boolean =>
  json.includes('\\u') || json.includes('__proto__');
