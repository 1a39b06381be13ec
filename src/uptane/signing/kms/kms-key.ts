/**
 * Keys in AWS KMS, which never leave it: `GetPublicKey` and `Sign` (AWS KMS API Reference). The client is an optional
 * dependency, used only here; it finds its own credentials, as for S3.
 */
import { createHash, createPublicKey } from 'node:crypto';
import type * as Kms from '@aws-sdk/client-kms';
import { listedKeyOf, UnsuitableKey } from '../listed-key.js';
import { keyIdOfListed, type KeyType, type ListedKey, type Signer } from '../signer.js';
import { regionOfKmsKey } from './kms-name.js';

/** A fault of a key in KMS, or of the way to it; the message names the key and the reason. */
class KmsFault extends Error {
  override readonly name = 'KmsFault';
}

export interface KmsKey extends Signer {
  /** Ends its connections. */
  close(): void;
}

/** How long a connection and an answer may take, ms. */
const CONNECTION_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;

/** Longest message that KMS hashes itself, bytes; Ed25519 signs nothing else. */
const LONGEST_RAW_MESSAGE = 4_096;

interface Algorithm {
  readonly name: Kms.SigningAlgorithmSpec;
  /** KMS signs the SHA-256 of the message, so that a message may have any length. */
  readonly isHashed: boolean;
}

/** Those whose signatures have the form of the key's scheme (POUF, section 2): ECDSA in DER, RSA-PSS, plain Ed25519. */
const ALGORITHMS: Readonly<Record<KeyType, Algorithm>> = {
  ecdsa: { name: 'ECDSA_SHA_256', isHashed: true },
  rsa: { name: 'RSASSA_PSS_SHA_256', isHashed: true },
  ed25519: { name: 'ED25519_SHA_512', isHashed: false },
};

/**
 * Reads the public key. Later signatures are verified with it (`signMetadata`), so an alias that has been moved to another
 * key cannot sign.
 *
 * @param arn of a key or an alias
 * @throws KmsFault
 */
export async function openKmsKey(arn: string): Promise<KmsKey> {
  const region = regionOfKmsKey(arn);
  if (region === undefined) {
    throw new KmsFault(
      `${arn} is not a key in AWS KMS: expected arn:aws:kms:REGION:ACCOUNT:key/ID or …:alias/NAME`,
    );
  }
  const { GetPublicKeyCommand, KMSClient, SignCommand } = await loadKms();
  const client = new KMSClient({
    region,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
  try {
    const answer = await withKmsFaults(arn, client.send(new GetPublicKeyCommand({ KeyId: arn })));
    const key = listedKeyIn(arn, answer);
    const { name, isHashed } = ALGORITHMS[key.keytype];
    return {
      key,
      keyId: keyIdOfListed(key),
      sign: async (message) => {
        if (!isHashed && message.length > LONGEST_RAW_MESSAGE) {
          throw new KmsFault(
            `${arn}: KMS signs at most ${LONGEST_RAW_MESSAGE} bytes with Ed25519, and this has ${message.length}; use an ECC_NIST_P256 key`,
          );
        }
        const command = new SignCommand({
          KeyId: arn,
          SigningAlgorithm: name,
          MessageType: isHashed ? 'DIGEST' : 'RAW',
          Message: isHashed ? createHash('sha256').update(message).digest() : message,
        });
        const { Signature } = await withKmsFaults(arn, client.send(command));
        return Signature ?? fail(arn, 'KMS has answered without a signature');
      },
      close: () => client.destroy(),
    };
  } catch (error) {
    client.destroy();
    throw error;
  }
}

async function loadKms(): Promise<typeof Kms> {
  try {
    return await import('@aws-sdk/client-kms');
  } catch {
    throw new KmsFault(
      'AWS KMS needs the package @aws-sdk/client-kms: npm install @aws-sdk/client-kms',
    );
  }
}

/** @throws KmsFault in place of the client's errors */
async function withKmsFaults<T>(arn: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    // A refused connection to several addresses of one name has an empty message.
    const { name, message, code } = error as Error & { readonly code?: string };
    const reason = [name === 'Error' ? code : name, message].filter(Boolean).join(': ');
    throw new KmsFault(`${arn}: ${reason}`, { cause: error });
  }
}

function fail(arn: string, reason: string): never {
  throw new KmsFault(`${arn}: ${reason}`);
}

function listedKeyIn(arn: string, answer: Kms.GetPublicKeyCommandOutput): ListedKey {
  const { PublicKey: spki, KeyUsage, SigningAlgorithms = [] } = answer;
  if (KeyUsage !== 'SIGN_VERIFY') return fail(arn, `its key usage is ${KeyUsage}, not SIGN_VERIFY`);
  let key: ListedKey;
  try {
    const der = Buffer.from(spki ?? fail(arn, 'KMS has answered without a public key'));
    key = listedKeyOf(createPublicKey({ key: der, format: 'der', type: 'spki' }));
  } catch (error) {
    if (error instanceof KmsFault) throw error;
    if (error instanceof UnsuitableKey) return fail(arn, error.message);
    return fail(arn, 'its public key cannot be read');
  }
  const { name } = ALGORITHMS[key.keytype];
  if (SigningAlgorithms.includes(name)) return key;
  return fail(arn, `the key does not sign with ${name}, only ${SigningAlgorithms.join(', ')}`);
}
