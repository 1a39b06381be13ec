/** What no database of ours can hold as text: NUL, and halves of surrogate pairs. Pure. */
import { type FieldError } from '../contract/index.js';

/** JSON that is nested deeper is nobody's message, and would exhaust the stack of whoever walks through it. */
const MAX_DEPTH = 64;

/** What is wrong with a text; undefined: nothing. */
export function textFault(text: string): string | undefined {
  if (text.includes('\0')) return 'must not contain the character NUL';
  if (!text.isWellFormed()) return 'must not contain half of a surrogate pair';
  return undefined;
}

/**
 * The first fault in any text of a JSON value, keys included; the key `__proto__` is one, because objects that are made
 * of such an entry are not what they seem.
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

/** In a JSON Pointer (RFC 6901), and storable itself. */
const pointerToken = (key: string) =>
  key.toWellFormed().replaceAll('\0', '\uFFFD').replaceAll('~', '~0').replaceAll('/', '~1');

/** Whether JSON text may hold what is unstorable: raw, JSON has neither, so it needs an escape. */
export const mayBeUnstorable = (json: string): boolean =>
  json.includes('\\u') || json.includes('__proto__');
