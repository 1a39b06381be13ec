/** Messages in readable form. Pure. */

/** @param base64 bytes @returns the text; U+FFFD for bytes that are not UTF-8 */
export function textOf(base64: string): string {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}

/** JSON is indented, other text left unchanged. */
export function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** The decoded body of an envelope (contract section 2); undefined if it cannot be decoded. */
export function bodyOf(envelope: string): string | undefined {
  try {
    const { body } = JSON.parse(envelope) as { readonly body?: unknown };
    return typeof body === 'string' && body !== '' ? indented(textOf(body)) : undefined;
  } catch {
    return undefined;
  }
}
