/**
 * A vehicle of another vendor: a few lines of raw MQTT 3.1.1. It waits for each PUBACK before its
 * next message, reconnects when the connection breaks, and never repeats an acknowledged message.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ForeignVehicleOptions {
  /** Ports on 127.0.0.1, tried in turn. */
  readonly ports: readonly number[];
  readonly systemId: string;
  /** If given, the vehicle signs in as its system_id. */
  readonly credential?: string;
  /** @returns undefined if there are no more messages */
  readonly next: (n: number) => Buffer | undefined;
  /** Interval between two messages, ms. */
  readonly pauseMs: () => number;
  /** Awaited before each message. */
  readonly whenReady?: () => Promise<unknown> | undefined;
  readonly onAcknowledged?: () => void;
}

const utf8 = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
};

function packet(header: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  let rest = body.length;
  do {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>= 7;
  } while (rest > 0);
  return Buffer.concat([Buffer.from([header, ...length]), body]);
}

export class ForeignVehicle {
  /** Number of acknowledged messages. */
  acknowledged = 0;
  readonly #options: ForeignVehicleOptions;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #connections = 0;

  constructor(options: ForeignVehicleOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** Stops when the message in flight is acknowledged, or its connection has broken. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #run(): Promise<void> {
    const { next, pauseMs } = this.#options;
    let connection: Connection | undefined;
    for (let n = 0; !this.#isStopping(); n++) {
      await this.#options.whenReady?.();
      const payload = next(n);
      if (payload === undefined) break;
      let isTaken = false;
      while (!isTaken && !this.#isStopping()) {
        connection ??= await this.#connect();
        // Without an answer the message may have been received or not: repeat it.
        isTaken = (await connection?.publish(payload)) ?? false;
        if (!isTaken) {
          connection?.end();
          connection = undefined;
          await this.#sleep(100 + Math.random() * 200);
        }
      }
      if (!isTaken) break;
      this.acknowledged += 1;
      this.#options.onAcknowledged?.();
      await this.#sleep(pauseMs());
    }
    connection?.end();
  }

  #sleep(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  #connect(): Promise<Connection | undefined> {
    const { ports } = this.#options;
    const port = ports[this.#connections++ % ports.length] ?? 0;
    return Connection.open(port, this.#options);
  }
}

const ANSWER_MS = 5_000;

class Connection {
  readonly #socket: Socket;
  readonly #topic: Buffer;
  #packetId = 0;
  #answer: ((packetId: number | undefined) => void) | undefined;
  #bytes = Buffer.alloc(0);

  static async open(
    port: number,
    { systemId, credential }: ForeignVehicleOptions,
  ): Promise<Connection | undefined> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const connection = new Connection(socket, utf8(`d2c/${systemId}`));
    const user = credential === undefined ? [] : [utf8(systemId), utf8(credential)];
    const level = Buffer.from([4, credential === undefined ? 0 : 0xc0, 0, 30]);
    socket.write(packet(0x10, utf8('MQTT'), level, utf8(systemId), ...user));
    return (await connection.#answered()) === undefined ? undefined : connection;
  }

  constructor(socket: Socket, topic: Buffer) {
    this.#socket = socket;
    this.#topic = topic;
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#answer?.(undefined));
  }

  /** @returns whether it was acknowledged */
  async publish(payload: Buffer): Promise<boolean> {
    this.#packetId = (this.#packetId % 65_535) + 1;
    const id = Buffer.from([this.#packetId >> 8, this.#packetId & 0xff]);
    this.#socket.write(packet(0x32, this.#topic, id, payload));
    return (await this.#answered()) === this.#packetId;
  }

  end(): void {
    this.#socket.destroy();
  }

  /** @returns packet id of a PUBACK, 0 for a successful CONNACK; undefined if the connection is closed */
  #answered(): Promise<number | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#socket.destroy(), ANSWER_MS);
      this.#answer = (packetId) => {
        clearTimeout(timer);
        this.#answer = undefined;
        resolve(packetId);
      };
      if (this.#socket.destroyed) this.#answer(undefined);
    });
  }

  #read(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    // CONNACK and PUBACK both have four bytes.
    while (this.#bytes.length >= 4) {
      const [header = 0, , high = 0, low = 0] = this.#bytes;
      this.#bytes = this.#bytes.subarray(4);
      if (header === 0x20 && low !== 0) this.#socket.destroy();
      else this.#answer?.(header === 0x20 ? 0 : high * 256 + low);
    }
  }
}
