/** Storage of artifacts' bytes, addressed by SHA-256. */
import { type Readable } from 'node:stream';

export interface ByteRange {
  /** First byte, from 0. */
  readonly from: number;
  /** Last byte. */
  readonly to: number;
}

export interface ArtifactStore {
  /** Stores a file by moving or copying it. Idempotent. */
  put(sha256: string, file: string, size: number): Promise<void>;
  /** @throws Error where the artifact does not exist */
  read(sha256: string, range: ByteRange | undefined): Promise<Readable>;
  /** Idempotent: removing a missing artifact succeeds. Readers keep their open files. */
  remove(sha256: string): Promise<void>;
}
