/** Connections that have not signed in yet: bounded in number, so that strangers cannot fill the broker with them. */
import { type Socket } from 'node:net';

export class Unauthenticated {
  readonly #limit: number;
  readonly #onEvicted: () => void;
  /** In the order of their arrival. */
  readonly #sockets = new Set<Socket>();

  constructor(limit: number, onEvicted: () => void) {
    this.#limit = limit;
    this.#onEvicted = onEvicted;
  }

  /**
   * Until the connection has signed in or is closed. A vehicle signs in within moments, so the oldest connection is the one
   * that makes room: refusing the new one would let strangers keep vehicles out.
   */
  add(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    if (this.#sockets.size <= this.#limit) return;
    const [oldest] = this.#sockets;
    if (!oldest) return;
    this.#sockets.delete(oldest);
    this.#onEvicted();
    oldest.destroy();
  }

  remove(socket: Socket | undefined): void {
    if (socket) this.#sockets.delete(socket);
  }
}
