/** A faulty proxy: its connections can be cut, or left half open without forwarding anything. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';

export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isBroken = false;
  #answersToLose = 0;
  #isSwallowing = false;

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
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        from.setNoDelay(true);
        this.#sockets.add(from);
        if (from === near) from.pipe(to);
        else from.pipe(this.#answersTo(near)).pipe(to);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
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
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
