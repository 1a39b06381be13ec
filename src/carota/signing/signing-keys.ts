/** The key that signs update scripts: the operator's own, or a trial key generated at the first start. */
import {
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  type X509Certificate,
} from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { certificatesOf, checkPath, type Signer } from '../../update-script/index.js';
import { issueCertificate } from './issue-certificate.js';

export interface SigningSettings {
  readonly dataDir: string;
  /** PEM file with the private key; undefined: a generated one in the data directory. */
  readonly signingKey?: string | undefined;
  /** PEM file with its certificate and any intermediate ones up to the vehicles' trust anchor. */
  readonly signingChain?: string | undefined;
}

export interface SigningKeys extends Signer {
  /** File with the trust anchor for vehicles, if the keys were generated. */
  readonly trustAnchorFile: string | undefined;
}

/** The signing key and the certificates do not match, or are invalid. */
class BadSigningKeys extends Error {
  override readonly name = 'BadSigningKeys';
}

/** @throws BadSigningKeys */
export async function openSigningKeys(
  { dataDir, signingKey, signingChain }: SigningSettings,
  now: number,
): Promise<SigningKeys> {
  if ((signingKey === undefined) !== (signingChain === undefined)) {
    throw new BadSigningKeys('a signing key needs its certificate chain, and the other way round');
  }
  const directory = join(resolve(dataDir), 'signing');
  const own = {
    key: join(directory, 'key.pem'),
    chain: join(directory, 'chain.pem'),
    trustAnchor: join(directory, 'trust-anchor.pem'),
  };
  if (signingKey === undefined && !existsSync(own.key)) await makeKeys(directory, own, now);
  const signer = await readSigner(signingKey ?? own.key, signingChain ?? own.chain);
  return { ...signer, trustAnchorFile: signingKey === undefined ? own.trustAnchor : undefined };
}

async function readSigner(keyFile: string, chainFile: string): Promise<Signer> {
  const key = await privateKeyIn(keyFile);
  const chain = await chainIn(chainFile);
  if (!chain[0]?.checkPrivateKey(key)) {
    throw new BadSigningKeys(`${keyFile} is not the key of the first certificate in ${chainFile}`);
  }
  return { key, chain };
}

async function privateKeyIn(file: string): Promise<KeyObject> {
  try {
    return createPrivateKey(await readFile(file));
  } catch (error) {
    throw new BadSigningKeys(
      `${file} does not contain a private key in PEM: ${(error as Error).message}`,
    );
  }
}

/**
 * A certification path that vehicles accept, as far as can be verified without their trust anchor. Its expiry is checked
 * only when a script is signed: an expired path must not keep the server from following running schedules.
 */
async function chainIn(file: string): Promise<readonly X509Certificate[]> {
  try {
    const chain = certificatesOf(await readFile(file, 'utf8'));
    checkPath(chain);
    return chain;
  } catch (error) {
    throw new BadSigningKeys(
      `${file} is not a valid certificate chain for signing: ${(error as Error).message}`,
    );
  }
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** A vehicle's clock may be behind. */
const BACKDATED_MS = DAY_MS;
const VALID_MS = 10 * 365 * DAY_MS;

/** A certificate authority whose key is discarded immediately, and the only signer it has certified. */
async function makeKeys(
  directory: string,
  files: { key: string; chain: string; trustAnchor: string },
  now: number,
): Promise<void> {
  const [from, to] = [now - BACKDATED_MS, now + VALID_MS];
  const authority = newKeyPair();
  const anchor = await issueCertificate({
    name: 'OTA Operations trial authority',
    ...authority,
    ...{ from, to, use: 'authority' },
  });
  const signer = newKeyPair();
  const certificate = await issueCertificate({
    name: 'OTA Operations trial signer',
    publicKey: signer.publicKey,
    issuer: { certificate: anchor, key: authority.privateKey },
    ...{ from, to, use: 'code signing' },
  });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(files.trustAnchor, anchor.toString());
  await writeFile(files.chain, certificate.toString());
  // Last: if this file exists, so do the others.
  const pem = signer.privateKey.export({ type: 'pkcs8', format: 'pem' });
  await writeFile(files.key, pem, { mode: 0o600 });
}

export const newKeyPair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
