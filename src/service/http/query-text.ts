/** Query strings (WHATWG URL, application/x-www-form-urlencoded) and the values that their texts stand for. Pure. */
import Type, { type TSchema } from '../../contract/typebox.js';

/** Each parameter with all its values; null: percent-encoded bytes that are not UTF-8. */
export type QueryTexts = Readonly<Record<string, readonly (string | null)[]>>;

export function parseQuery(text: string): QueryTexts {
  const texts = new Map<string, (string | null)[]>();
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decoded(equals < 0 ? pair : pair.slice(0, equals)) ?? pair;
    const given = texts.get(name) ?? [];
    given.push(decoded(equals < 0 ? '' : pair.slice(equals + 1)));
    texts.set(name, given);
  }
  return Object.assign(Object.create(null), Object.fromEntries(texts)) as QueryTexts;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return null;
  }
}

const INTEGER = /^-?(?:0|[1-9][0-9]{0,15})$/;
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/;

/**
 * The value that a parameter's text stands for by its schema: decimal digits, `true`, `false`, or the text itself. Any
 * other text stays text, which the schema then refuses.
 */
export function valueOf(schema: TSchema, text: string): unknown {
  if (Type.IsInteger(schema)) return INTEGER.test(text) ? Number(text) : text;
  if (Type.IsNumber(schema)) return NUMBER.test(text) ? Number(text) : text;
  if (Type.IsBoolean(schema)) return text === 'true' || text === 'false' ? text === 'true' : text;
  return text;
}
