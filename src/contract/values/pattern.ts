/** Text of a given form with a description of the form, which errors quote instead of the regular expression. */
import Type from '../typebox.js';

const WORDS = new Map<string, string>();

/**
 * A string schema whose error describes the form that the pattern requires.
 *
 * @param pattern regular expression (ECMA-262, flag u), anchored
 * @param message error for a text that does not match, e.g. `must be hours and minutes: 22:00`
 * @throws Error if the same pattern already has another message, because an error contains only the pattern
 */
export function Pattern(pattern: string, message: string, options: Type.TStringOptions = {}) {
  const existing = WORDS.get(pattern);
  if (existing !== undefined && existing !== message) {
    throw new Error(`the pattern ${pattern} has two messages, "${existing}" and "${message}"`);
  }
  WORDS.set(pattern, message);
  return Type.String({ ...options, pattern });
}

/** What to say of a text that does not match. */
export const patternMessage = (pattern: string): string =>
  WORDS.get(pattern) ?? `must match the pattern ${pattern}`;
