/** Which tokens can be sent. Pure. */
import { InvalidToken } from './failures.js';

/** Visible ASCII, which every header can carry. */
const NOT_ALLOWED = /[^\x21-\x7E]/u;

/** Characters that one does not see when they come along from a file or the clipboard. */
const NAMES: Readonly<Record<string, string>> = {
  ' ': 'a space',
  '\t': 'a tab',
  '\n': 'a line break',
  '\r': 'a carriage return',
};

/** @throws InvalidToken, which names the first character that is not allowed and its place, but not the token */
export function checkToken(token: string): void {
  const found = NOT_ALLOWED.exec(token);
  if (!found) return;
  const [character] = found;
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  const name = NAMES[character] ?? `the character U+${code}`;
  throw new InvalidToken(`the token must not contain ${name} (at position ${found.index + 1})`);
}
