/**
 * The certificate of a server, read again when its files change. Changes are detected by content, so files may be written in
 * place, replaced by renaming, or switched by a symbolic link on their path, as certbot does. While the two files do not
 * match, or are incomplete, the server keeps its certificate.
 */
import { readFile } from 'node:fs/promises';
import { type SecureContextOptions } from 'node:tls';
import { type Certificate, certificateOf, UnusableCertificate } from './certificate.js';
import { TLS_POLICY } from './policy.js';

export interface CertificateFiles {
  /** PEM: the server’s certificate, then those of intermediate CAs. */
  readonly certFile: string;
  /** PEM, not encrypted. */
  readonly keyFile: string;
}

export interface CertificateListeners {
  /** A new certificate is in use from now on; also called for the first one. @param expires ms */
  readonly onLoaded: (expires: number) => void;
  /** The files cannot be used; called once for each content, and with undefined when they can again. */
  readonly onProblem: (error: Error | undefined) => void;
}

/** Interval between checks of the files, ms: two small reads. */
const LOOK_MS = 2_000;

export class ServerCertificate {
  readonly #files: CertificateFiles;
  readonly #listeners: CertificateListeners;
  readonly #users = new Set<(context: SecureContextOptions) => void>();
  readonly #timer: NodeJS.Timeout;
  #current: Certificate;
  #looking: Promise<void> = Promise.resolve();
  #problem: string | undefined;
  #isClosed = false;

  private constructor(
    files: CertificateFiles,
    listeners: CertificateListeners,
    first: Certificate,
    lookMs: number,
  ) {
    this.#files = files;
    this.#listeners = listeners;
    this.#current = first;
    listeners.onLoaded(first.expires);
    this.#timer = setTimeout(() => {
      this.#looking = this.#look().finally(() => {
        if (!this.#isClosed) this.#timer.refresh();
      });
    }, lookMs).unref();
  }

  /** @throws UnusableCertificate */
  static async open(
    files: CertificateFiles,
    listeners: CertificateListeners,
    lookMs = LOOK_MS,
  ): Promise<ServerCertificate> {
    return new ServerCertificate(files, listeners, await readCertificate(files), lookMs);
  }

  /** For `tls.createServer`. */
  get context(): SecureContextOptions {
    const { cert, key } = this.#current;
    return { ...TLS_POLICY, cert, key };
  }

  /** @param use called with each later certificate; open connections keep theirs */
  onChange(use: (context: SecureContextOptions) => void): void {
    this.#users.add(use);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    try {
      const found = await readCertificate(this.#files);
      if (this.#problem !== undefined) this.#listeners.onProblem(undefined);
      this.#problem = undefined;
      if (found.cert === this.#current.cert && found.key === this.#current.key) return;
      this.#current = found;
      for (const use of this.#users) use(this.context);
      this.#listeners.onLoaded(found.expires);
    } catch (error) {
      const { message } = error as Error;
      if (message === this.#problem) return;
      this.#problem = message;
      this.#listeners.onProblem(error as Error);
    }
  }
}

/** @throws UnusableCertificate, which names the files */
export async function readCertificate({
  certFile,
  keyFile,
}: CertificateFiles): Promise<Certificate> {
  try {
    const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
    return certificateOf(cert, key);
  } catch (error) {
    throw new UnusableCertificate(`${certFile}, ${keyFile}: ${(error as Error).message}`);
  }
}
