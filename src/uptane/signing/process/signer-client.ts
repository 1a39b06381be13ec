/** Makes the keys of the signer process available as signers in this process. */
import { connect, type Socket } from 'node:net';
import { type Signer } from '../signer.js';
import { type Answer, Lines, type OfferedKey, type Request } from './protocol.js';

/** The signer process does not answer, or refuses to sign; the message says which. */
class SignerProcessFault extends Error {
  override readonly name = 'SignerProcessFault';
}

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** Timeout of an answer; an HSM can be slow. */
const ANSWER_MS = 10_000;

/** One connection, opened on demand and reopened after a restart of the signer. */
export class SignerClient {
  readonly #socketPath: string;
  readonly #waiting = new Map<number, Waiting>();
  #socket: Socket | undefined;
  #lastId = 0;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** @throws SignerProcessFault */
  async signers(): Promise<readonly (Signer & { readonly roles: readonly string[] })[]> {
    const { keys = [] } = await this.#ask({ method: 'keys' });
    return keys.map((offered) => this.#signerOf(offered));
  }

  close(): void {
    this.#socket?.destroy();
  }

  #signerOf({ keyid, key, roles }: OfferedKey) {
    return {
      keyId: keyid,
      key,
      roles,
      sign: async (message: Uint8Array) => {
        const text = Buffer.from(message).toString('base64');
        const { sig = '' } = await this.#ask({ method: 'sign', keyid, message: text });
        return Buffer.from(sig, 'hex');
      },
    };
  }

  async #ask(request: Omit<Request, 'id'>): Promise<Answer> {
    const id = (this.#lastId += 1);
    const socket = this.#connection();
    // A hanging signer must not delay vehicles forever; the next request uses a new connection.
    const timer = setTimeout(() => socket.destroy(new Error('it does not answer')), ANSWER_MS);
    const answer = await new Promise<Answer>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      socket.write(`${JSON.stringify({ id, ...request })}\n`);
    }).finally(() => clearTimeout(timer));
    if (answer.error !== undefined) throw new SignerProcessFault(`signer: ${answer.error}`);
    return answer;
  }

  #connection(): Socket {
    if (this.#socket && !this.#socket.destroyed) return this.#socket;
    const socket = connect(this.#socketPath);
    this.#socket = socket;
    const lines = new Lines();
    socket.on('data', (bytes) => {
      try {
        const complete = lines.add(bytes);
        if (!complete) throw new Error('its answer is too long');
        for (const line of complete) this.#take(line);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
    let reason = 'it has closed the connection';
    socket.on('error', ({ message }) => (reason = message));
    socket.on('close', () => this.#fail(reason));
    return socket;
  }

  #take(line: string): void {
    const answer = JSON.parse(line) as Answer;
    this.#waiting.get(answer.id)?.resolve(answer);
    this.#waiting.delete(answer.id);
  }

  #fail(reason: string): void {
    const fault = new SignerProcessFault(
      `no answer from the signer at ${this.#socketPath}: ${reason}`,
    );
    for (const { reject } of this.#waiting.values()) reject(fault);
    this.#waiting.clear();
  }
}
