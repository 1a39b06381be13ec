/**
 * The built-in authority, for trials and small fleets: a folder with a key on P-256, a self-signed certificate, and the
 * list of revoked certificates, which adapters and brokers read.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BadSettings } from '../../service/bad-settings.js';
import { makeFolder } from '../../service/write-durably.js';
import { generateKey } from '../../uptane/signing/generate-key.js';
import { replaceFile } from '../../uptane/store/durable-file.js';
import {
  type Issuer,
  issueClientCertificate,
  issuerOf,
  readPem,
  type Revocation,
  selfSigned,
  writePem,
  writeRevocationList,
} from '../../x509/index.js';
import { type CertificateAuthority, type CheckedRequest } from './authority.js';

export interface BuiltInAuthorityOptions {
  readonly folder: string;
  /** Validity of a certificate, ms. */
  readonly validityMs: number;
  /** ms */
  readonly clock: () => number;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const AUTHORITY_MS = 20 * 365 * DAY_MS;
/** Vehicles' clocks may be slow. */
const BACKDATED_MS = 60 * 60 * 1000;
const LIST_MS = 7 * DAY_MS;

/** Names of the files in its folder. */
export const AUTHORITY_FILES = { certificate: 'ca.pem', key: 'ca.key', list: 'crl.pem' } as const;

export class BuiltInAuthority implements CertificateAuthority {
  readonly #options: BuiltInAuthorityOptions;
  readonly #issuer: Issuer;

  private constructor(options: BuiltInAuthorityOptions, issuer: Issuer) {
    this.#options = options;
    this.#issuer = issuer;
  }

  /** Generates a key if the folder has none. @throws BadSettings */
  static async open(options: BuiltInAuthorityOptions): Promise<BuiltInAuthority> {
    const { folder, clock } = options;
    await makeFolder(folder);
    const issuer = (await readIssuer(folder)) ?? (await newIssuer(folder, clock()));
    const authority = new BuiltInAuthority(options, issuer);
    const hasList = await readFile(join(folder, AUTHORITY_FILES.list)).then(
      () => true,
      () => false,
    );
    if (!hasList) await authority.publishRevoked([]);
    return authority;
  }

  get chain(): readonly Uint8Array[] {
    return [this.#issuer.certificate];
  }

  issue({ systemId, publicKeyInfo }: CheckedRequest): Promise<Uint8Array> {
    const { clock, validityMs } = this.#options;
    const now = clock();
    const validity = {
      notBefore: now - Math.min(BACKDATED_MS, validityMs / 10),
      notAfter: now + validityMs,
    };
    const { bytes } = issueClientCertificate(this.#issuer, systemId, publicKeyInfo, validity);
    return Promise.resolve(bytes);
  }

  async publishRevoked(revocations: readonly Revocation[]): Promise<void> {
    const now = this.#options.clock();
    const list = writeRevocationList(this.#issuer, revocations, {
      // Increases with each list (RFC 5280, section 5.2.3), also across restarts.
      number: now,
      thisUpdate: now,
      nextUpdate: now + LIST_MS,
    });
    replaceFile(
      join(this.#options.folder, AUTHORITY_FILES.list),
      writePem(list, 'X509 CRL'),
      0o644,
    );
  }
}

async function readIssuer(folder: string): Promise<Issuer | undefined> {
  const [certificate, key] = [AUTHORITY_FILES.certificate, AUTHORITY_FILES.key].map((name) =>
    join(folder, name),
  ) as [string, string];
  const text = await readFile(certificate, 'utf8').catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new BadSettings(`${certificate}: ${message}`);
  });
  if (text === undefined) return undefined;
  try {
    const [der] = readPem(text, 'CERTIFICATE');
    if (!der) throw new Error('has no certificate');
    const privateKey = createPrivateKey(await readFile(key, 'utf8'));
    refuseOtherKeys(privateKey);
    return issuerOf(der, privateKey);
  } catch (error) {
    throw new BadSettings(`${certificate} and ${key}: ${(error as Error).message}`);
  }
}

function refuseOtherKeys({ asymmetricKeyDetails }: KeyObject): void {
  if (asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('the key is not on P-256');
}

/** The certificate is written last: if it is missing, the next start repeats the creation. */
async function newIssuer(folder: string, now: number): Promise<Issuer> {
  const privateKey = generateKey('ecdsa');
  const issuer = selfSigned('OTA Operations vehicle authority', privateKey, {
    notBefore: now - BACKDATED_MS,
    notAfter: now + AUTHORITY_MS,
  });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  replaceFile(join(folder, AUTHORITY_FILES.key), pem, 0o600);
  const certificate = writePem(issuer.certificate, 'CERTIFICATE');
  replaceFile(join(folder, AUTHORITY_FILES.certificate), certificate, 0o644);
  return issuer;
}
