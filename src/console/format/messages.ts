/** Messages as people read them. Pure. */

/** @param base64 bytes @returns them as text; U+FFFD where they are no UTF-8 */
export function textOf(base64: string): string {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}

/** Indented where it is JSON, else as it is. */
export function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** The body of an envelope (contract section 2), decoded; undefined where there is none that can be. */
export function bodyOf(envelope: string): string | undefined {
  try {
    const { body } = JSON.parse(envelope) as { readonly body?: unknown };
    return typeof body === 'string' && body !== '' ? indented(textOf(body)) : undefined;
  } catch {
    return undefined;
  }
}
