/** Where a repository's files are. A path is relative, its parts separated by `/`, as they are named in metadata. */

export interface RepositoryFiles {
  /** @returns `undefined` if there is no such file */
  read(path: string): Promise<Uint8Array | undefined>;
  /** The content of a file, piece by piece. @throws from the iteration, if there is no such file */
  stream(path: string): AsyncIterable<Uint8Array>;
  /** bytes; `undefined` if there is no such file */
  size(path: string): Promise<number | undefined>;
  /** Names of the files directly in a folder; none if there is no such folder. */
  list(folder: string): Promise<readonly string[]>;
  /** Creates or replaces a file at once: whoever reads it gets the old or the new one, also after a power cut. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** The same, piece by piece. If the source fails, nothing is written. */
  writeFrom(path: string, source: AsyncIterable<Uint8Array>): Promise<void>;
  /** Nothing happens if there is no such file. */
  remove(path: string): Promise<void>;
}
