/** The reason for a failed request, in words. */

/** `fetch` reports only that it failed; the cause is one level deeper. */
export function messageOf(error: Error): string {
  const { cause } = error;
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message;
}
