/** Storage of a repository's files. Paths are relative, with segments separated by `/`, as in metadata. */

export interface RepositoryFiles {
  /** @returns `undefined` if there is no such file */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Streams the content of a file. @throws from the iteration, if there is no such file */
  stream(path: string): AsyncIterable<Uint8Array>;
  /** bytes; `undefined` if there is no such file */
  size(path: string): Promise<number | undefined>;
  /** Names of the files directly in a folder; none if there is no such folder. */
  list(folder: string): Promise<readonly string[]>;
  /** Creates or replaces a file atomically: readers get the old or the new one, even after a power cut. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** The same from a stream. If the source fails, nothing is written. */
  writeFrom(path: string, source: AsyncIterable<Uint8Array>): Promise<void>;
  /** Does nothing if there is no such file. */
  remove(path: string): Promise<void>;
}
