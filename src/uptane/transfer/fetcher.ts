/** The source of a repository's files. `transfer.ts` enforces limits. */

export interface Fetcher {
  /**
   * Starts fetching a file.
   *
   * @param path below the repository's URL, percent-encoded
   * @param signal aborts the transfer at any point
   * @returns the file's bytes, or `undefined` if there is no such file
   * @throws Unreachable, from the iteration too
   */
  fetch(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
}

/** The file is unavailable: no connection, a broken one, or an inconclusive answer. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}
