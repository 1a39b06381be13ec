/** Where a client keeps the metadata of one repository that it trusts. */

export interface MetadataStore {
  /**
   * @param role `root`, `timestamp`, `snapshot`, `targets` or a delegated role
   * @returns the bytes as they were served, or `undefined`
   */
  read(role: string): Uint8Array | undefined;
  /** Replaces a file. When it returns, the new one survives a power cut; before, the old one does. */
  write(role: string, bytes: Uint8Array): void;
  /** When it returns, the removal survives a power cut. */
  remove(role: string): void;
  /**
   * The keys under which the stored timestamp and snapshot were accepted, as an opaque text. With it, forgetting them
   * survives a power cut right after a new root was written.
   */
  readOnlineKeys(): string | undefined;
  writeOnlineKeys(keys: string): void;
}
