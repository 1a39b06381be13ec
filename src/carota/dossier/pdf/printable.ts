/** Text that a font can print: characters without a glyph are written as code points, so that nothing is lost. Pure. */

/**
 * @param hasGlyph for a code point
 * @returns text with its line breaks unchanged
 */
export function printable(text: string, hasGlyph: (codePoint: number) => boolean): string {
  let printed = '';
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0;
    const isPrinted = character === '\n' || (!isInvisible(codePoint) && hasGlyph(codePoint));
    printed += isPrinted ? character : `\\u{${codePoint.toString(16)}}`;
  }
  return printed;
}

/** Control characters, and those that move or reorder others: a name must not look like another one. */
const isInvisible = (codePoint: number): boolean =>
  codePoint < 0x20 ||
  (codePoint >= 0x7f && codePoint < 0xa0) ||
  /[\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/u.test(String.fromCodePoint(codePoint));
