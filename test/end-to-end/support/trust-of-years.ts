/** The keys of a CarOTA Server that is two years old: three roots for each repository, two of them expired. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ArtifactStore } from '../../../src/carota/artifacts/index.js';
import { openImageRepository } from '../../../src/carota/image-repository/index.js';
import { type CarotaSettings } from '../../../src/carota/settings.js';
import { type Database } from '../../../src/service/database/index.js';
import { directorRoot } from '../../../src/uptane/director-repository/files.js';
import { localSigner } from '../../../src/uptane/signing/local-signer.js';
import { signMetadata, writeEnvelope } from '../../../src/uptane/signing/sign.js';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Days from the first root until now. */
export const AGE_DAYS = 730;
const RENEWALS = [340, 680, AGE_DAYS];

const ONLINE = ['targets', 'snapshot', 'timestamp'] as const;

/** The Director's keys in the folder `director` of a data directory. */
export class DirectorFolder {
  readonly keys: string;
  readonly metadata: string;

  constructor(dataDir: string) {
    this.keys = join(dataDir, 'director', 'keys');
    this.metadata = join(dataDir, 'director', 'metadata');
  }

  /** Creates keys, and roots that were signed every 340 days. */
  async establish(): Promise<void> {
    mkdirSync(this.keys, { recursive: true });
    mkdirSync(this.metadata);
    for (const name of ['root', 'time', ...ONLINE]) this.#makeKey(name);
    writeFileSync(this.timeKeys, JSON.stringify([this.signer('time').key]));
    const first = Date.now() - AGE_DAYS * DAY_MS;
    for (const [place, day] of [0, 340, 680].entries()) {
      await this.#writeRoot(place + 1, new Date(first + (day + 365) * DAY_MS));
    }
  }

  /** The response to stolen online keys: new ones, and a root that names them. */
  async replaceOnlineKeys(version: number): Promise<void> {
    for (const name of ONLINE) this.#makeKey(name);
    await this.#writeRoot(version, new Date(Date.now() + 365 * DAY_MS));
  }

  get timeKeys(): string {
    return join(this.metadata, 'time-keys.json');
  }

  root(version: number): Buffer {
    return readFileSync(join(this.metadata, `${version}.root.json`));
  }

  signer(name: string) {
    return localSigner(createPrivateKey(readFileSync(this.#keyFile(name))));
  }

  #keyFile(name: string): string {
    return join(this.keys, `${name}.pem`);
  }

  #makeKey(name: string): void {
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(this.#keyFile(name), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  }

  async #writeRoot(version: number, expires: Date): Promise<void> {
    const listed = (name: string) => [this.signer(name).key];
    const signed = directorRoot({
      version,
      expires,
      rootThreshold: 1,
      keys: {
        root: listed('root'),
        targets: listed('targets'),
        snapshot: listed('snapshot'),
        timestamp: listed('timestamp'),
      },
    });
    const root = writeEnvelope(await signMetadata(signed, [this.signer('root')]));
    writeFileSync(join(this.metadata, `${version}.root.json`), root);
  }
}

/** Creates an image repository in a data directory, with renewals as by the server itself. @returns its folder */
export async function establishImageRepository(dataDir: string): Promise<string> {
  const first = Date.now() - AGE_DAYS * DAY_MS;
  let now = first;
  // Nothing is uploaded meanwhile.
  const none = {} as unknown as Database & ArtifactStore;
  const { repository } = await openImageRepository({ dataDir } as CarotaSettings, {
    database: none,
    store: none,
    clock: () => now,
    signingTime: () => now,
  });
  for (const day of RENEWALS) {
    now = first + day * DAY_MS;
    await repository.refreshIfDue();
  }
  return repository.folder;
}
