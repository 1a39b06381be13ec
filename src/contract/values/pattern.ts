/** Text of a given form, with words for what the form is: an error says those, not the expression. */
import Type from '../typebox.js';

const WORDS = new Map<string, string>();

/**
 * A string schema whose error says in words what the pattern demands.
 *
 * @param pattern regular expression (ECMA-262, flag u), anchored
 * @param message what to say of a text that does not match, e.g. `must be hours and minutes: 22:00`
 * @throws Error if the same pattern has been given other words: an error knows the pattern alone
 */
export function Pattern(pattern: string, message: string, options: Type.TStringOptions = {}) {
  const known = WORDS.get(pattern);
  if (known !== undefined && known !== message) {
    throw new Error(`the pattern ${pattern} has two messages, "${known}" and "${message}"`);
  }
  WORDS.set(pattern, message);
  return Type.String({ ...options, pattern });
}

/** What to say of a text that does not match. */
export const patternMessage = (pattern: string): string =>
  WORDS.get(pattern) ?? `must match the pattern ${pattern}`;
