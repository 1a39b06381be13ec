/** Storage of a client's trusted metadata of one repository. */

export interface MetadataStore {
  /**
   * @param role `root`, `timestamp`, `snapshot`, `targets` or a delegated role
   * @returns the bytes as served, or `undefined`
   */
  read(role: string): Uint8Array | undefined;
  /** Replaces a file. Until it returns, the old one survives a power cut; afterwards, the new one. */
  write(role: string, bytes: Uint8Array): void;
  /** When it returns, the removal survives a power cut. */
  remove(role: string): void;
  /**
   * The keys under which the stored timestamp and snapshot were accepted, as an opaque text. It ensures that they are
   * deleted even after a power cut right after a new root was written.
   */
  readOnlineKeys(): string | undefined;
  writeOnlineKeys(keys: string): void;
}
