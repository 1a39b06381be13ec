/** PEM files of a TLS listener for vehicles, read again whenever one of them changes. */
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { BadSettings } from '../bad-settings.js';
import {
  type Certificate,
  isListOf,
  readCertificate,
  readPem,
  readRevocationList,
  type RevocationList,
  writePem,
} from '../../x509/index.js';
import { certificatePaths, isAmong } from './certificate-paths.js';

/** Paths of PEM files. */
export interface TlsFilePaths {
  /** The server's certificate with its chain. */
  readonly cert: string;
  readonly key: string;
  /** Certification authorities of the vehicles. */
  readonly ca: string;
  /** Their revocation lists, and those of {@link bootstrap}. */
  readonly crl?: string | undefined;
  /** Authorities whose certificates are valid for a first enrolment only; undefined: none. */
  readonly bootstrap?: string | undefined;
}

export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** Of both kinds: OpenSSL verifies a chain to any of them. */
  readonly ca: string;
  readonly authorities: readonly Certificate[];
  readonly bootstrapAuthorities: readonly Certificate[];
  readonly lists: readonly RevocationList[];
}

/** Interval between checks, ms: together with the check of open connections, a revocation takes effect within 5 s. */
const LOOK_MS = 1_000;

/** @throws BadSettings naming the file */
export async function readTlsFiles(paths: TlsFilePaths): Promise<TlsFiles> {
  const [cert, key, ca] = await Promise.all(
    [paths.cert, paths.key, paths.ca].map((path) => readFileOf(path, (text) => text)),
  );
  if (cert === undefined || key === undefined || ca === undefined) throw new Error('unreachable');
  try {
    createSecureContext({ cert, key, ca });
  } catch (error) {
    const { message } = error as Error;
    throw new BadSettings(`${paths.cert}, ${paths.key} and ${paths.ca} do not match: ${message}`);
  }
  const authorities = await readAuthoritiesOf(paths.ca);
  const bootstrapAuthorities =
    paths.bootstrap === undefined ? [] : await readAuthoritiesOf(paths.bootstrap);
  refuseConfusion(paths, authorities, bootstrapAuthorities);
  const issuers = [...authorities, ...bootstrapAuthorities];
  const lists = paths.crl === undefined ? [] : await readListsOf(paths.crl, issuers);
  const trusted = issuers.map(({ bytes }) => writePem(bytes, 'CERTIFICATE')).join('');
  return { cert, key, ca: trusted, authorities, bootstrapAuthorities, lists };
}

async function readAuthoritiesOf(path: string): Promise<Certificate[]> {
  const authorities = await readFileOf(path, (text) =>
    readPem(text, 'CERTIFICATE').map(readCertificate),
  );
  if (!authorities.some(({ isAuthority }) => isAuthority)) {
    throw new BadSettings(`${path} has no certificate of an authority`);
  }
  return authorities;
}

/** An authority must not be of both kinds: otherwise a certificate meant only for the first enrolment would permit everything. */
function refuseConfusion(
  { ca, bootstrap = '' }: TlsFilePaths,
  authorities: readonly Certificate[],
  bootstrapAuthorities: readonly Certificate[],
): void {
  const leadsTo = (ones: readonly Certificate[], others: readonly Certificate[]) =>
    ones.some((one) => isAmong(others, one) || certificatePaths([one], others).length > 0);
  if (leadsTo(bootstrapAuthorities, authorities) || leadsTo(authorities, bootstrapAuthorities)) {
    throw new BadSettings(
      `${bootstrap} and ${ca} have an authority in common: certificates for a first enrolment need a separate one`,
    );
  }
}

async function readListsOf(
  path: string,
  authorities: readonly Certificate[],
): Promise<RevocationList[]> {
  const lists = await readFileOf(path, (text) => readPem(text, 'X509 CRL').map(readRevocationList));
  if (lists.length === 0) throw new BadSettings(`${path} has no certificate revocation list`);
  if (!lists.every((list) => authorities.some((authority) => isListOf(list, authority)))) {
    throw new BadSettings(`${path} has a list that none of the authorities has issued`);
  }
  return lists;
}

async function readFileOf<T>(path: string, parse: (text: string) => T): Promise<T> {
  try {
    return parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new BadSettings(`${path}: ${(error as Error).message}`);
  }
}

export interface TlsFileWatchOptions {
  readonly paths: TlsFilePaths;
  readonly onChanged: (files: TlsFiles) => void;
  /** The files do not match; the previous ones stay in use. */
  readonly onFailure: (error: Error) => void;
}

/** Checks for changes of any kind, including a replaced file or a symbolic link with a new target. */
export class TlsFileWatch {
  readonly #options: TlsFileWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #seen = '';
  #failure = '';
  #isStopped = false;
  #look: Promise<void> = Promise.resolve();

  constructor(options: TlsFileWatchOptions) {
    this.#options = options;
  }

  /** @returns the current files @throws BadSettings */
  async start(): Promise<TlsFiles> {
    const seen = await this.#stamp();
    const files = await readTlsFiles(this.#options.paths);
    this.#seen = seen;
    this.#timer = setTimeout(() => {
      this.#look = this.#lookAgain().finally(() => {
        if (!this.#isStopped) this.#timer?.refresh();
      });
    }, LOOK_MS).unref();
    return files;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#look;
  }

  async #lookAgain(): Promise<void> {
    const seen = await this.#stamp();
    if (seen === this.#seen) return;
    try {
      const files = await readTlsFiles(this.#options.paths);
      this.#seen = seen;
      this.#failure = '';
      if (!this.#isStopped) this.#options.onChanged(files);
    } catch (error) {
      // Certificate and key change one after the other: at the next check they may match.
      const { message } = error as Error;
      if (message !== this.#failure) this.#options.onFailure(error as Error);
      this.#failure = message;
    }
  }

  async #stamp(): Promise<string> {
    const { cert, key, ca, crl, bootstrap } = this.#options.paths;
    const stamps = [cert, key, ca, crl, bootstrap].map(async (path) => {
      if (path === undefined) return '';
      const { ino, mtimeMs, size } = await stat(path).catch(() => NO_FILE);
      return `${ino} ${mtimeMs} ${size}`;
    });
    return (await Promise.all(stamps)).join('\n');
  }
}

const NO_FILE = { ino: 0, mtimeMs: 0, size: 0 };
