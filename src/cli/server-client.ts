/** The client of a command: where the server is, and with which token it is asked. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiError, Client } from '../contract/index.js';
import { UsageError } from './usage-error.js';

export interface ServerAddress {
  readonly url: string;
  readonly token?: string | undefined;
  readonly allowPlainHttp: boolean;
  /** Where the first token of a server on this machine is. */
  readonly dataDir: string;
}

/** A trigger of a million vehicles takes a minute or two. */
const TIMEOUT_MS = 10 * 60 * 1000;

/**
 * With the given token, else with the one that the first start has left in the data directory.
 *
 * @throws UsageError where there is none, or none may be sent to the address
 */
export async function connect(address: ServerAddress): Promise<Client> {
  const { url, token, allowPlainHttp, dataDir } = address;
  const file = join(dataDir, 'token');
  const secret = token ?? (await readFile(file, 'utf8').catch(() => undefined))?.trim();
  if (secret === undefined) {
    throw new UsageError(`no token: give --token or OTAOPS_TOKEN (there is no ${file})`);
  }
  try {
    return new Client({ url, token: secret, allowPlainHttp, timeout: TIMEOUT_MS });
  } catch (error) {
    throw new UsageError(`${(error as Error).message} (see --allow-plain-http)`);
  }
}

/** What went wrong, each field that is at fault on a line of its own. */
export function faultText(error: Error): string {
  const fields = error instanceof ApiError ? error.errors : [];
  return [error.message, ...fields.map(({ path, message }) => `  ${path} ${message}`)].join('\n');
}
