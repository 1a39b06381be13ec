/** The byte range that a request asks for (RFC 9110, 13.1.5 and 14): pure. */
import { type ByteRange } from './artifact-store.js';

export type RequestedRange =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly range: ByteRange }
  | { readonly kind: 'not satisfiable' };

/**
 * Supports a single range. For several ranges, or another unit, the whole file is sent, as the RFC allows.
 *
 * @param ifRange ETag of the file that the client has a part of; if it differs, the whole file is sent
 * @param etag strong, with its quotes
 */
export function requestedRange(
  header: string | undefined,
  ifRange: string | undefined,
  etag: string,
  size: number,
): RequestedRange {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '') ?? [];
  if (first === '' && last === '') return { kind: 'whole' };
  if (ifRange !== undefined && ifRange !== etag) return { kind: 'whole' };
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return { kind: 'whole' };
  if (from >= size || (first === '' && Number(last) === 0)) return { kind: 'not satisfiable' };
  return { kind: 'part', range: { from, to } };
}
