/** Where the bytes of artifacts are: by their SHA-256. */
import { type Readable } from 'node:stream';

export interface ByteRange {
  /** First byte, from 0. */
  readonly from: number;
  /** Last byte. */
  readonly to: number;
}

export interface ArtifactStore {
  /** Takes a file, which is gone or copied when this resolves; the same again changes nothing. */
  put(sha256: string, file: string, size: number): Promise<void>;
  /** @throws Error where it is not there */
  read(sha256: string, range: ByteRange | undefined): Promise<Readable>;
}
