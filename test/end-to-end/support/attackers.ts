/** Attackers between a vehicle and the CarOTA Server. Each forwards everything except its target, or all if honest. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type SignedPart, signMetadata, writeEnvelope } from '../../../src/uptane/signing/sign.js';
import { type Signer } from '../../../src/uptane/signing/signer.js';
import { type DirectorFolder } from './trust-of-years.js';

interface Passed {
  readonly status: number;
  readonly body: Buffer;
}

abstract class Attacker {
  isHonest = false;
  /** Number of requests that it has answered itself. */
  attacks = 0;
  url = '';
  readonly #server: Server;
  readonly #real: string;

  /** @param real URL of the server behind it */
  constructor(real: string) {
    this.#real = real;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** @returns its answer in place of the server's; undefined: it forwards the request */
  protected abstract attack(
    path: string,
    pass: (path: string) => Promise<Passed>,
  ): Promise<Buffer | undefined>;

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url: path = '', method = 'GET', headers } = request;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const token = headers['authorization-token'];
    const pass = async (what: string): Promise<Passed> => {
      const answer = await fetch(this.#real + what, {
        method,
        headers: {
          'content-type': 'application/json',
          ...(typeof token === 'string' ? { 'authorization-token': token } : {}),
        },
        ...(method === 'POST' ? { body: Buffer.concat(chunks) } : {}),
      });
      return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()) };
    };
    const forged = this.isHonest ? undefined : await this.attack(path, pass);
    if (forged) this.attacks += 1;
    const { status, body } = forged ? { status: 200, body: forged } : await pass(path);
    response.writeHead(status, { 'content-length': body.length });
    response.end(body);
  }
}

/** Replaces each artifact with another image of the same length. */
export class ImageForger extends Attacker {
  protected async attack(
    path: string,
    pass: (path: string) => Promise<Passed>,
  ): Promise<Buffer | undefined> {
    if (!path.includes('/targets/artifacts/')) return undefined;
    const { body } = await pass(path);
    return Buffer.alloc(body.length, 'forged');
  }
}

type OnlineRole = 'targets' | 'snapshot' | 'timestamp';

/** Has the Director's online keys, and signs orders of its own: with other software for the ECU. */
export class DirectorThief extends Attacker {
  readonly #stolen: Readonly<Record<OnlineRole, Signer>>;
  readonly #files = new Map<string, Buffer>();

  constructor(real: string, keys: DirectorFolder) {
    super(real);
    const [targets, snapshot, timestamp] = [
      keys.signer('targets'),
      keys.signer('snapshot'),
      keys.signer('timestamp'),
    ];
    this.#stolen = { targets, snapshot, timestamp };
  }

  protected async attack(
    path: string,
    pass: (path: string) => Promise<Passed>,
  ): Promise<Buffer | undefined> {
    const file = path.split('/').at(-1) ?? '';
    if (file !== 'timestamp.json') return this.#files.get(file);
    const folder = path.slice(0, -file.length);
    const signedOf = async (name: string): Promise<any> =>
      JSON.parse((await pass(folder + name)).body.toString()).signed;
    const timestamp = await signedOf(file);
    const snapshot = await signedOf(`${timestamp.meta['snapshot.json'].version}.snapshot.json`);
    const targets = await signedOf(`${snapshot.meta['targets.json'].version}.targets.json`);
    const evil = Buffer.from('evil software');
    for (const [name, target] of Object.entries<any>(targets.targets)) {
      if (name.startsWith('scripts/')) continue;
      target.length = evil.length;
      target.hashes = { sha256: createHash('sha256').update(evil).digest('hex') };
    }
    for (const signed of [targets, snapshot, timestamp] as { version: number }[]) {
      signed.version += 1;
    }
    snapshot.meta['targets.json'].version = targets.version;
    this.#files.set(`${targets.version}.targets.json`, await this.#signed('targets', targets));
    const snapshotFile = await this.#signed('snapshot', snapshot);
    this.#files.set(`${snapshot.version}.snapshot.json`, snapshotFile);
    timestamp.meta['snapshot.json'] = {
      version: snapshot.version,
      length: snapshotFile.length,
      hashes: { sha256: createHash('sha256').update(snapshotFile).digest('hex') },
    };
    return this.#signed('timestamp', timestamp);
  }

  async #signed(role: OnlineRole, signed: SignedPart): Promise<Buffer> {
    return writeEnvelope(await signMetadata(signed, [this.#stolen[role]]));
  }
}
