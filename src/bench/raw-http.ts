/**
 * A minimal HTTP/1.1 client, so that a load costs less than the system it measures: one connection, one request at a time,
 * answers with a content-length.
 */
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly body: Buffer;
}

export class RawHttp {
  readonly #socket: Socket;
  readonly #headers: string;
  #received: Buffer = Buffer.alloc(0);
  #waiting: { resolve: (answer: RawAnswer) => void; reject: (error: Error) => void } | undefined;

  /** @param headers of each request */
  static async connect(port: number, headers: Readonly<Record<string, string>>): Promise<RawHttp> {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new RawHttp(socket, headers);
  }

  private constructor(socket: Socket, headers: Readonly<Record<string, string>>) {
    this.#socket = socket;
    const all = { host: '127.0.0.1', 'content-type': 'application/json', ...headers };
    this.#headers = Object.entries(all)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#waiting?.reject(error));
    socket.on('close', () => this.#waiting?.reject(new Error('the server closed the connection')));
  }

  ask(method: 'GET' | 'POST', path: string, body?: Uint8Array): Promise<RawAnswer> {
    const length = body ? `content-length: ${body.length}\r\n` : '';
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.cork();
      this.#socket.write(`${method} ${path} HTTP/1.1\r\n${this.#headers}${length}\r\n`);
      if (body) this.#socket.write(body);
      this.#socket.uncork();
    });
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    const received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const end = received.indexOf('\r\n\r\n');
    const head = end < 0 ? '' : received.toString('latin1', 0, end);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (end < 0 || received.length < end + 4 + length) {
      this.#received = received;
      return;
    }
    this.#received = Buffer.alloc(0);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve({
      status: Number(head.slice(9, 12)),
      body: received.subarray(end + 4, end + 4 + length),
    });
  }
}
