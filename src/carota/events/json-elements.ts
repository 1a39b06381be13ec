/**
 * The elements of an array inside JSON text, unchanged: parsing and serialising would lose duplicate keys, digits of
 * numbers and order. Pure; for text that `JSON.parse` accepts. Does not recurse.
 */

/** @param path names of the members that lead to the array; of two with the same name the last one counts, as in JSON.parse */
export function elementTexts(text: string, path: readonly string[]): string[] {
  let at = afterSpace(text, 0);
  for (const name of path) at = memberOf(text, at, name);
  const elements: string[] = [];
  for (at = afterSpace(text, at + 1); text[at] !== ']';) {
    const end = endOf(text, at);
    elements.push(text.slice(at, end));
    at = afterSpace(text, end);
    if (text[at] === ',') at = afterSpace(text, at + 1);
  }
  return elements;
}

/** Index of the value of a member. @param object index of the object */
function memberOf(text: string, object: number, name: string): number {
  let found = -1;
  for (let at = afterSpace(text, object + 1); text[at] !== '}';) {
    const endOfKey = endOf(text, at);
    const key: unknown = JSON.parse(text.slice(at, endOfKey));
    const value = afterSpace(text, afterSpace(text, endOfKey) + 1);
    if (key === name) found = value;
    at = afterSpace(text, endOf(text, value));
    if (text[at] === ',') at = afterSpace(text, at + 1);
  }
  if (found < 0) throw new Error(`the text has no member ${name}`);
  return found;
}

function afterSpace(text: string, from: number): number {
  let at = from;
  while (' \t\n\r'.includes(text[at] ?? 'x')) at += 1;
  return at;
}

/** Index after the value that starts at `from`. */
function endOf(text: string, from: number): number {
  let depth = 0;
  for (let at = from; ; at += 1) {
    switch (text[at]) {
      case '"':
        at = endOfString(text, at) - 1;
        if (depth === 0) return at + 1;
        break;
      case '{':
      case '[':
        depth += 1;
        break;
      case '}':
      case ']':
        // Closes the array or object around a number or literal.
        if (depth === 0) return at;
        depth -= 1;
        if (depth === 0) return at + 1;
        break;
      case ' ':
      case '\t':
      case '\n':
      case '\r':
      case ',':
      case undefined:
        if (depth === 0) return at;
        break;
    }
  }
}

function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}
