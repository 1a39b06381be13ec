/** A faulty proxy: its connections can be cut, left half open without forwarding anything, or frozen for a time. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';

/** From the client to the server, or back. */
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

  /** The end of one connection is that of the other, which learns of it in its turn. */
  #link(from: Socket, to: Socket, direction: Direction): void {
    from.setNoDelay(true);
    this.#sockets.add(from);
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#sockets.delete(from);
      const end = () => {
        // Else what is still on its way comes first, and then the end.
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

  /** Instead of forwarding the server's next answer, cuts the connection. */
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

  /** Requests arrive, and no answer comes back on any connection, until {@link mend}. */
  swallow(): void {
    this.#isSwallowing = true;
  }

  /** From now on existing connections forward nothing; new ones work. */
  cutHalfOpen(): void {
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  /**
   * Holds back all that goes in one direction, also the end of connections, until {@link thaw}: no packet arrives, and no
   * side learns of it. New connections are accepted, and nothing more.
   */
  freeze(directions: readonly Direction[] = DIRECTIONS): void {
    let thaw: () => void = () => undefined;
    const end = new Promise<void>((resolve) => (thaw = resolve));
    this.#freeze = { directions, end, thaw };
  }

  /** What was held back arrives, as after the retransmissions of TCP. */
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
