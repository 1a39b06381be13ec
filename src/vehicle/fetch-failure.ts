/** Why a request has failed, in words. */

/** `fetch` says only that it failed, and has the cause one level deeper. */
export function messageOf(error: Error): string {
  const { cause } = error;
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message;
}
