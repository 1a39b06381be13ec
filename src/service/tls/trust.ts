/** The CAs trusted when calling other servers: the well-known ones, and those in a file. */
import { readFile } from 'node:fs/promises';
import { createSecureContext, rootCertificates } from 'node:tls';
import { Agent, fetch as undiciFetch } from 'undici';
import { BadSettings } from '../bad-settings.js';
import { certificatesIn } from './certificate.js';

/**
 * @param file PEM; undefined: the well-known ones only
 * @returns for the option `ca` of a TLS connection; undefined: its default
 * @throws BadSettings
 */
export async function trustedAuthorities(file: string | undefined): Promise<string[] | undefined> {
  if (file === undefined) return undefined;
  return [...rootCertificates, ...(await readAuthorities('--ca', file))];
}

/**
 * The CAs in a file, as PEM texts.
 *
 * @param flag the setting that names the file
 * @throws BadSettings
 */
export async function readAuthorities(flag: string, file: string): Promise<string[]> {
  try {
    const own = certificatesIn(await readFile(file, 'utf8'));
    return own.map((certificate) => certificate.toString());
  } catch (error) {
    throw new BadSettings(`${flag}: ${file}: ${(error as Error).message}`);
  }
}

/**
 * A `fetch` that trusts these CAs; Node’s own accepts none.
 *
 * @param ca see {@link trustedAuthorities}; undefined: Node’s own
 */
export function fetchTrusting(ca: readonly string[] | undefined): typeof fetch | undefined {
  if (ca === undefined) return undefined;
  // Made once: reading all the certificates again for each connection takes longer than the handshake.
  const secureContext = createSecureContext({ ca: [...ca] });
  const dispatcher = new Agent({ connect: { secureContext } });
  const trusting = (input: string | URL, init?: object) =>
    undiciFetch(input, { ...init, dispatcher });
  return trusting as unknown as typeof fetch;
}
