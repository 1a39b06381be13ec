/** Interprets a server's answer to a range request (RFC 9110, sections 14 and 15). Pure. */

export type RangeAnswer =
  /** The body continues at our offset. */
  | { readonly kind: 'rest' }
  /** The body is the entire file: it has changed, or the server does not support ranges. */
  | { readonly kind: 'whole' }
  /** Our bytes are not part of the server's file: start over. */
  | { readonly kind: 'discard'; readonly reason: string }
  /** The URL is no longer valid. */
  | { readonly kind: 'moved'; readonly reason: string }
  /** Retry after a pause. */
  | { readonly kind: 'later'; readonly reason: string }
  /** Retrying is pointless. */
  | { readonly kind: 'never'; readonly reason: string };

export interface AnswerHead {
  readonly status: number;
  readonly contentLength: string | null;
  readonly contentRange: string | null;
}

/**
 * @param offset number of bytes received so far
 * @param size of the artifact according to the script, bytes
 */
export function rangeAnswer(head: AnswerHead, offset: number, size: number): RangeAnswer {
  const reason = `HTTP ${head.status}`;
  switch (head.status) {
    case 200:
      return fullAnswer(head, size);
    case 206:
      return restAnswer(head, offset, size);
    case 401:
    case 403:
    case 404:
    case 410:
      return { kind: 'moved', reason };
    case 416:
      return { kind: 'discard', reason };
    case 408:
    case 425:
    case 429:
      return { kind: 'later', reason };
    default:
      return { kind: head.status >= 500 ? 'later' : 'never', reason };
  }
}

function fullAnswer({ contentLength }: AnswerHead, size: number): RangeAnswer {
  if (contentLength !== null && Number(contentLength) !== size)
    return wrongLength(contentLength, size);
  return { kind: 'whole' };
}

function restAnswer({ contentRange }: AnswerHead, offset: number, size: number): RangeAnswer {
  const [, first, total = ''] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(contentRange ?? '') ?? [];
  if (Number(first) !== offset) {
    return {
      kind: 'discard',
      reason: `the server sent the range ${contentRange ?? 'without a name'}`,
    };
  }
  if (total !== '*' && Number(total) !== size) return wrongLength(total, size);
  return { kind: 'rest' };
}

const wrongLength = (has: string, size: number): RangeAnswer => ({
  kind: 'never',
  reason: `wrong length: the server has ${has} bytes, the script says ${size}`,
});
