/** Between the CarOTA Server and the adapter: a proxy at which a test holds a request or its answer. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Handles a cancellation. @returns the answer to the CarOTA Server; undefined: none, its connection is cut */
export type Passage = (forward: () => Promise<Answer>) => Promise<Answer | undefined>;

export class Gate {
  readonly #server: Server;
  /** Handles the next cancellation; all other requests pass. */
  next: Passage | undefined;
  /** The operations of the cancellations that the CarOTA Server has sent. */
  readonly cancellations: string[] = [];

  static async to(target: string): Promise<Gate> {
    const gate = new Gate(target);
    gate.#server.listen(0, '127.0.0.1');
    await once(gate.#server, 'listening');
    return gate;
  }

  private constructor(target: string) {
    this.#server = createServer((request, response) => {
      void this.#pass(target, request)
        .then((answer) => {
          if (!answer) return response.destroy();
          const headers = { 'content-type': 'application/json' };
          return response.writeHead(answer.status, headers).end(answer.body);
        })
        .catch(() => response.destroy());
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #pass(target: string, request: IncomingMessage): Promise<Answer | undefined> {
    const { url = '', method = 'GET', headers } = request;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const forward = async (): Promise<Answer> => {
      const response = await fetch(target + url, {
        method,
        headers: {
          'content-type': 'application/json',
          'authorization-token': String(headers['authorization-token']),
        },
        body: Buffer.concat(chunks),
      });
      return { status: response.status, body: await response.text() };
    };
    const [, refId] = /\/operations\/([^/]+)\/cancel$/.exec(url) ?? [];
    if (refId === undefined) return forward();
    this.cancellations.push(decodeURIComponent(refId));
    const passage = this.next;
    this.next = undefined;
    return passage ? passage(forward) : forward();
  }
}
