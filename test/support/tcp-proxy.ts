/** A faulty proxy: its connections can be cut, left half open without forwarding anything, or frozen for a time. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';

/** From the client to the server, or the other way. */
export type Direction = 'requests' | 'answers';
export const DIRECTIONS: readonly Direction[] = ['requests', 'answers'];

interface Freeze {
  readonly directions: readonly Direction[];
  readonly end: Promise<void>;
  readonly thaw: () => void;
}

export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isBroken = false;
  #answersToLose = 0;
  #isSwallowing = false;
  #freeze: Freeze | undefined;

  static async to(port: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(port);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  private constructor(target: number) {
    this.#server = createServer((near) => {
      if (this.#isBroken) {
        near.destroy();
        return;
      }
      const far = connect(target, '127.0.0.1');
      near.pipe(this.#way('requests')).pipe(far);
      far.pipe(this.#answersTo(near)).pipe(this.#way('answers')).pipe(near);
      this.#link(near, far, 'requests');
      this.#link(far, near, 'answers');
    });
  }

  /** Ends one connection with the other, after the data still on its way. */
  #link(from: Socket, to: Socket, direction: Direction): void {
    from.setNoDelay(true);
    this.#sockets.add(from);
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#sockets.delete(from);
      const end = () => {
        // Otherwise the remaining data and the end are still on their way.
        if (!from.readableEnded) to.destroy();
      };
      const frozen = this.#frozen(direction);
      if (frozen) void frozen.then(end);
      else end();
    });
  }

  #frozen(direction: Direction): Promise<void> | undefined {
    return this.#freeze?.directions.includes(direction) ? this.#freeze.end : undefined;
  }

  #way(direction: Direction): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        const frozen = this.#frozen(direction);
        if (frozen) void frozen.then(() => done(null, chunk));
        else done(null, chunk);
      },
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts the connection instead of forwarding the server's next answers. */
  loseAnswers(count: number): void {
    this.#answersToLose = count;
  }

  #answersTo(near: Socket): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        if (this.#isSwallowing) {
          done();
          return;
        }
        if (this.#answersToLose === 0) {
          done(null, chunk);
          return;
        }
        this.#answersToLose -= 1;
        near.destroy();
        done();
      },
    });
  }

  /** Requests arrive, but no connection gets answers until {@link mend}. */
  swallow(): void {
    this.#isSwallowing = true;
  }

  /** Existing connections forward nothing from now on; new ones work. */
  cutHalfOpen(): void {
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  /**
   * Holds back everything in these directions, including the end of connections, until {@link thaw}: no packet arrives,
   * and neither side notices. New connections are only accepted.
   */
  freeze(directions: readonly Direction[] = DIRECTIONS): void {
    let thaw: () => void = () => undefined;
    const end = new Promise<void>((resolve) => (thaw = resolve));
    this.#freeze = { directions, end, thaw };
  }

  /** Delivers the data held back, as after TCP retransmissions. */
  thaw(): void {
    const freeze = this.#freeze;
    this.#freeze = undefined;
    freeze?.thaw();
  }

  /** Cuts all connections and accepts no new ones. */
  break(): void {
    this.#isBroken = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isBroken = false;
    this.#isSwallowing = false;
  }

  async close(): Promise<void> {
    this.thaw();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
