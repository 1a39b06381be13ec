/** PEM (RFC 7468): DER in base64 between labels. */

/** Contents with this label, in their order. @returns in DER */
export function readPem(text: string, label: string): Buffer[] {
  const block = new RegExp(`-----BEGIN ${label}-----([^-]*)-----END ${label}-----`, 'g');
  return [...text.matchAll(block)].map(([, base64 = '']) => Buffer.from(base64, 'base64'));
}

export const writePem = (bytes: Uint8Array, label: string): string =>
  `-----BEGIN ${label}-----\n${base64Lines(bytes)}-----END ${label}-----\n`;

/** Base64 in lines of 64 characters, as PEM and EST have it. */
export function base64Lines(bytes: Uint8Array): string {
  const base64 = Buffer.from(bytes).toString('base64');
  return base64.replaceAll(/.{1,64}/g, '$&\n');
}
