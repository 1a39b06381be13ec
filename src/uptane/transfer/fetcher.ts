/** The source of a repository's files. `transfer.ts` enforces limits. */

export interface Fetcher {
  /**
   * Begins to fetch a file.
   *
   * @param path below the repository's address, percent-encoded
   * @param signal ends the transfer at any point
   * @returns the file's bytes, or `undefined` if there is no such file
   * @throws Unreachable, from the iteration too
   */
  fetch(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
}

/** The file cannot be had now: no connection, a broken one, an answer that says neither yes nor no. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}
