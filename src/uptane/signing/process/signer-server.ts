/** The signer process: holds the online keys, and signs files of their roles, over a Unix socket for its user only. */
import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { type Signer } from '../signer.js';
import { checkPermitted, NotPermitted, type OnlineRole } from './permission.js';
import { type Answer, Lines, type Request } from './protocol.js';

export interface OnlineKey {
  readonly signer: Signer;
  readonly roles: readonly OnlineRole[];
}

export interface SignerServerOptions {
  readonly socketPath: string;
  readonly keys: readonly OnlineKey[];
  readonly longestDays: number;
  readonly now?: () => Date;
  /** Called for each refusal: the web server may be compromised. */
  readonly onRefusal?: (reason: string) => void;
}

/** The socket cannot be created. */
class SignerSocketFault extends Error {
  override readonly name = 'SignerSocketFault';
}

export class SignerServer {
  readonly #options: SignerServerOptions;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();

  constructor(options: SignerServerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** @throws SignerSocketFault if another signer uses the socket */
  async start(): Promise<void> {
    const { socketPath } = this.#options;
    if (existsSync(socketPath)) {
      if (await isServed(socketPath)) {
        throw new SignerSocketFault(`another signer listens on ${socketPath}`);
      }
      rmSync(socketPath);
    }
    // Inaccessible to others until its permissions are set.
    const folder = mkdtempSync(join(dirname(socketPath), '.signer-'));
    const made = join(folder, 's');
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(made, resolve);
    });
    chmodSync(made, 0o600);
    renameSync(made, socketPath);
    rmSync(folder, { recursive: true });
  }

  async stop(): Promise<void> {
    rmSync(this.#options.socketPath, { force: true });
    for (const socket of this.#connections) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#connections.add(socket);
    const lines = new Lines();
    socket.on('data', (bytes) => {
      const complete = lines.add(bytes);
      if (complete === undefined) socket.destroy();
      for (const line of complete ?? []) void this.#answer(line, socket);
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#connections.delete(socket));
  }

  async #answer(line: string, socket: Socket): Promise<void> {
    let request: Request;
    try {
      request = JSON.parse(line) as Request;
      if (typeof request.id !== 'number') throw new Error('no id');
    } catch {
      socket.destroy();
      return;
    }
    const { id } = request;
    const say = (answer: Omit<Answer, 'id'>) =>
      socket.write(`${JSON.stringify({ id, ...answer })}\n`);
    try {
      say(await this.#result(request));
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof NotPermitted) this.#options.onRefusal?.(message);
      say({ error: message });
    }
  }

  async #result({ method, keyid, message }: Request): Promise<Omit<Answer, 'id'>> {
    const { keys, longestDays, now = () => new Date() } = this.#options;
    if (method === 'keys') {
      return {
        keys: keys.map(({ signer, roles }) => ({ keyid: signer.keyId, key: signer.key, roles })),
      };
    }
    if (method !== 'sign') throw new NotPermitted('there are the methods keys and sign');
    const key = keys.find(({ signer }) => signer.keyId === keyid);
    if (key === undefined) throw new NotPermitted(`there is no key ${String(keyid).slice(0, 64)}`);
    const bytes = Buffer.from(String(message), 'base64');
    checkPermitted(bytes, key.roles, { longestDays, now: now() });
    return { sig: Buffer.from(await key.signer.sign(bytes)).toString('hex') };
  }
}

const isServed = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    const end = (served: boolean) => {
      socket.destroy();
      resolve(served);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
