/** Upload progress on standard error: a rewritten line in a terminal, occasional lines elsewhere. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';

const TERMINAL_MS = 200;
/** Frequent enough for a log. */
const PLAIN_MS = 5_000;

export interface Upload {
  readonly body: ReadableStream<Uint8Array>;
  /** Clears the line in a terminal. */
  done(): void;
}

/**
 * A file that is read while it is sent. The server reads only as fast as it stores, so the progress of sending is that of
 * storing, up to the buffers in between.
 *
 * @throws Error if there is no such file
 */
export async function uploadOf(
  file: string,
  out: NodeJS.WriteStream,
  now: () => number = performance.now.bind(performance),
): Promise<Upload> {
  const { size } = await stat(file);
  const every = out.isTTY ? TERMINAL_MS : PLAIN_MS;
  let sent = 0;
  let nextAt = now() + every;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sent += chunk.length;
      if (now() >= nextAt) {
        nextAt = now() + every;
        const text = `${percent(sent, size)} of ${megabytes(size)} MB sent`;
        out.write(out.isTTY ? `\r${text}\u001B[K` : `${text}\n`);
      }
      done(null, chunk);
    },
  });
  const source = createReadStream(file);
  source.on('error', (error) => counted.destroy(error));
  return {
    body: Readable.toWeb(source.pipe(counted)) as ReadableStream<Uint8Array>,
    done() {
      if (out.isTTY) out.write('\r\u001B[K');
    },
  };
}

const percent = (sent: number, size: number) => `${Math.floor((sent / Math.max(1, size)) * 100)} %`;
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
