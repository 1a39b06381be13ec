/**
 * The vehicle's client certificate and its key on disk. At every moment either the old or the new pair is complete, and
 * the key of a request is kept until its certificate is stored.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateKey } from '../../uptane/signing/generate-key.js';
import { readCertificate, readPem, writePem } from '../../x509/index.js';
import { removeFile, replaceFile } from '../durable-file.js';

/** A client certificate with its key and its validity. */
export interface StoredCertificate {
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** ms */
  readonly notBefore: number;
  /** ms */
  readonly notAfter: number;
}

/** The certificate does not match the vehicle and the key for which it was requested. */
export class ForeignCertificate extends Error {
  override readonly name = 'ForeignCertificate';
}

/** The folder of certificate and key. */
export class CertificateStore {
  /** Certificate and key in one file: they change together. */
  readonly #current: string;
  /** The key of a request that has not been answered yet. */
  readonly #pending: string;

  /** @param directory created if missing */
  constructor(directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#current = join(directory, 'identity.pem');
    this.#pending = join(directory, 'pending.key');
  }

  /** @throws Error where the file is damaged */
  read(): StoredCertificate | undefined {
    const text = readIfThere(this.#current);
    return text === undefined ? undefined : storedIn(text, this.#current);
  }

  /** The key for the next request: after an interruption, that of the last one, whose certificate may still arrive. */
  pendingKey(): KeyObject {
    const text = readIfThere(this.#pending);
    // After an interruption between the two steps, the pending key already belongs to the certificate.
    if (text !== undefined && !this.#isCurrent(text)) return createPrivateKey(text);
    const privateKey = generateKey('ecdsa');
    replaceFile(this.#pending, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    return privateKey;
  }

  #isCurrent(text: string): boolean {
    const current = this.read();
    if (!current) return false;
    return new X509Certificate(current.cert).checkPrivateKey(createPrivateKey(text));
  }

  /** Replaces the previous certificate by that of the pending key. @param der @throws ForeignCertificate */
  complete(der: Uint8Array, systemId: string): StoredCertificate {
    const key = this.pendingKey();
    const certificate = new X509Certificate(der);
    if (!certificate.checkPrivateKey(key)) {
      throw new ForeignCertificate('the certificate is for another key');
    }
    const { commonNames, alternativeNames } = readCertificate(der);
    const names = [...commonNames, ...alternativeNames.map(({ value }) => value)];
    if (
      !names.some((name) => name === systemId || name.endsWith(`:${encodeURIComponent(systemId)}`))
    ) {
      throw new ForeignCertificate(`the certificate is not for ${systemId}`);
    }
    const pem = key.export({ type: 'pkcs8', format: 'pem' }) as string;
    const text = writePem(der, 'CERTIFICATE') + pem;
    const stored = storedIn(text, 'the answer');
    replaceFile(this.#current, text);
    removeFile(this.#pending);
    return stored;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function storedIn(text: string, where: string): StoredCertificate {
  const [der] = readPem(text, 'CERTIFICATE');
  const [key] = readPem(text, 'PRIVATE KEY');
  if (!der || !key) throw new Error(`${where} does not contain a certificate and its key`);
  const { validFrom, validTo } = new X509Certificate(der);
  return {
    cert: writePem(der, 'CERTIFICATE'),
    key: writePem(key, 'PRIVATE KEY'),
    notBefore: Date.parse(validFrom),
    notAfter: Date.parse(validTo),
  };
}
