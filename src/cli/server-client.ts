/** The HTTP client of a command: server URL and token. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiError, Client } from '../contract/index.js';
import { clientFault } from '../service/bad-settings.js';
import { fetchTrusting, trustedAuthorities } from '../service/tls/trust.js';
import { UsageError } from './usage-error.js';

export interface ServerAddress {
  readonly url: string;
  readonly token?: string | undefined;
  readonly allowPlainHttp: boolean;
  /** PEM file of further CAs. */
  readonly ca?: string | undefined;
  /** Path of the initial admin token of a server on this machine. */
  readonly dataDir: string;
}

/** A trigger of a million vehicles takes a minute or two. */
const TIMEOUT_MS = 10 * 60 * 1000;

/**
 * Uses the given token, otherwise the initial admin token in the data directory.
 *
 * @throws UsageError without a token, or if it is invalid or must not be sent to this URL
 */
export async function connect(address: ServerAddress): Promise<Client> {
  const { url, token, allowPlainHttp, ca, dataDir } = address;
  const file = join(dataDir, 'token');
  const secret = token ?? (await readFile(file, 'utf8').catch(() => undefined))?.trim();
  if (secret === undefined) {
    throw new UsageError(`no token: give --token or OTAOPS_TOKEN (there is no ${file})`);
  }
  const fetch = fetchTrusting(await trustedAuthorities(ca));
  try {
    return new Client({ url, token: secret, allowPlainHttp, timeout: TIMEOUT_MS, fetch });
  } catch (error) {
    throw new UsageError(clientFault(error));
  }
}

/** The error message, with one line per invalid field. */
export function faultText(error: Error): string {
  const fields = error instanceof ApiError ? error.errors : [];
  return [error.message, ...fields.map(({ path, message }) => `  ${path} ${message}`)].join('\n');
}
