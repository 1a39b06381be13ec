/**
 * Many texts as one parameter, joined by a separator. The server splits them more than twice as fast as it reads an
 * array literal, and nothing has to be quoted on our side. For texts that cannot contain the separator: names without
 * control characters, and JSON, which escapes them.
 */

/** Characters that no joined text may contain. */
const SEPARATOR = '\u0002';
const NULL = '\u0003';
/** Matches characters that no joined text may contain. */
export const NOT_JOINABLE = /[\u0002\u0003]/g;

/** The parameter, which {@link splitTexts} splits. */
export function joinedTexts(values: readonly (string | null)[]): string | null {
  // One empty text would look like no text at all.
  if (values.length === 1 && values[0] === '') return null;
  const texts = values.includes(null) ? values.map((value) => value ?? NULL) : values;
  return texts.join(SEPARATOR);
}

/** An expression of type text[]. @param parameter e.g. `$1` */
export const splitTexts = (parameter: string): string =>
  `coalesce(string_to_array(${parameter}::text, e'\\x02', e'\\x03'), array[''])`;
