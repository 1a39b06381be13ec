/**
 * Messages on the local link between a Primary and a Secondary: a JSON header, prefixed by its length (4 bytes, big
 * endian), then a body with the length given in the header. One request, one answer, one connection.
 */
import { type Socket } from 'node:net';
import { SLOWEST, type TransferRate } from '../../../uptane/limits.js';
import { RateWatch } from '../../../uptane/transfer/rate-watch.js';

/** Longest header, bytes. */
const LONGEST_HEADER = 256 * 1024;
/** Timeout for the header of a request, and for a peer that reads nothing, ms. */
export const PATIENCE_MS = 20_000;

const LENGTH_BYTES = 4;

/** The peer has sent an invalid or oversized message, or closed the connection early. */
export class LinkFault extends Error {
  override readonly name = 'LinkFault';
}

export interface Header {
  /** Length of the body, bytes. */
  readonly bytes?: number;
  readonly [member: string]: unknown;
}

/** Reads one message from a socket. */
export class MessageReader {
  readonly #chunks: AsyncIterator<Buffer, undefined>;
  readonly #slowest: TransferRate;
  #rest: Buffer = Buffer.alloc(0);

  /** @param slowest of a body */
  constructor(socket: Socket, slowest: TransferRate = SLOWEST) {
    this.#slowest = slowest;
    this.#chunks = (socket as AsyncIterable<Buffer, undefined>)[Symbol.asyncIterator]();
  }

  /** @param withinMs for the whole header; an answer may take as long as its work @throws LinkFault */
  async header(withinMs = Number.POSITIVE_INFINITY): Promise<Header> {
    const until = performance.now() + withinMs;
    const length = (await this.#exactly(LENGTH_BYTES, until)).readUInt32BE();
    if (length > LONGEST_HEADER) {
      throw new LinkFault(`a header of ${length} bytes is longer than ${LONGEST_HEADER}`);
    }
    const text = (await this.#exactly(length, until)).toString('utf8');
    try {
      const header: unknown = JSON.parse(text);
      if (typeof header === 'object' && header !== null && !Array.isArray(header)) {
        return header as Header;
      }
    } catch {
      // Handled like any other text.
    }
    throw new LinkFault('a header is not a JSON object');
  }

  /** The body as it arrives. @throws LinkFault if the peer disconnects or sends too slowly */
  async *body(bytes: number): AsyncGenerator<Uint8Array> {
    const watch = new RateWatch(this.#slowest);
    for (let left = bytes; left > 0;) {
      if (this.#rest.length === 0) {
        const begun = performance.now();
        await this.#more(watch.patience * 1000);
        watch.arrived(this.#rest.length, (performance.now() - begun) / 1000);
      }
      const piece = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  /** @throws LinkFault if it is longer than the limit */
  async readBody({ bytes = 0 }: Header, limit: number): Promise<Buffer> {
    const length = bodyLength(bytes, limit);
    const pieces: Uint8Array[] = [];
    for await (const piece of this.body(length)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  async #exactly(bytes: number, until: number): Promise<Buffer> {
    while (this.#rest.length < bytes) await this.#more(until - performance.now());
    const taken = this.#rest.subarray(0, bytes);
    this.#rest = this.#rest.subarray(bytes);
    return taken;
  }

  /** @param patience ms */
  async #more(patience: number): Promise<void> {
    const { value, done } = await withTimeout(this.#chunks.next(), patience);
    if (done) throw new LinkFault('the peer broke off');
    this.#rest = this.#rest.length === 0 ? value : Buffer.concat([this.#rest, value]);
  }
}

async function withTimeout<T>(next: Promise<T>, patience: number): Promise<T> {
  if (patience === Number.POSITIVE_INFINITY) return next;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const giveUp = () => reject(new LinkFault('the peer sends too slowly'));
    timer = setTimeout(giveUp, Math.max(0, patience));
  });
  try {
    return await Promise.race([next, late]);
  } finally {
    clearTimeout(timer);
    next.catch(() => undefined);
  }
}

/** @throws LinkFault */
export function bodyLength(bytes: unknown, limit: number): number {
  if (typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes >= 0 && bytes <= limit) {
    return bytes;
  }
  throw new LinkFault(`a body of ${String(bytes)} bytes is not within the limit of ${limit}`);
}

/** Writes one message, with backpressure. @throws LinkFault if the peer is gone */
export async function writeMessage(
  socket: Socket,
  header: Header,
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array> = [],
): Promise<void> {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(json.length);
  await write(socket, Buffer.concat([length, json]));
  let left = header.bytes ?? 0;
  for await (const piece of body) {
    left -= piece.length;
    if (left < 0) break;
    await write(socket, piece);
  }
  if (left !== 0) throw new LinkFault('the length of the body does not match the header');
}

function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(bytes, (error) => (error ? reject(new LinkFault(error.message)) : resolve()));
  });
}
