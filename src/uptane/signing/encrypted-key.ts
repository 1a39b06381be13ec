/**
 * Encrypted private keys: PKCS#8 EncryptedPrivateKeyInfo (RFC 5958) with PBES2 (RFC 8018), scrypt (RFC 7914) and
 * AES-256-CBC. `node:crypto` reads this format, like OpenSSL, but writes only PBKDF2 with 2,048 rounds.
 */
import { createCipheriv, createPrivateKey, type KeyObject, randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { integer, octets, oid, sequence } from '../../asn1/index.js';

/**
 * Memory of 16 MiB, OpenSSL's default limit; parallelism increases the work instead.
 */
const COST = { N: 16_384, r: 8, p: 8 } as const;
const SALT_BYTES = 16;
const KEY_BYTES = 32;
const BLOCK_BYTES = 16;

const OID = {
  pbes2: '1.2.840.113549.1.5.13',
  scrypt: '1.3.6.1.4.1.11591.4.11',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
} as const;

const LABEL = 'ENCRYPTED PRIVATE KEY';

const derive = promisify<string, Buffer, number, object, Buffer>(scrypt);

/** @returns PEM */
export async function encryptKey(key: KeyObject, passphrase: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const iv = randomBytes(BLOCK_BYTES);
  const secret = await derive(passphrase, salt, KEY_BYTES, { ...COST, maxmem: 64 * 1024 * 1024 });
  const cipher = createCipheriv('aes-256-cbc', secret, iv);
  const plain = key.export({ type: 'pkcs8', format: 'der' });
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  const { N, r, p } = COST;
  const kdf = sequence(
    oid(OID.scrypt),
    sequence(octets(salt), ...[N, r, p].map((cost) => integer(BigInt(cost)))),
  );
  const encryption = sequence(oid(OID.aes256Cbc), octets(iv));
  const algorithm = sequence(oid(OID.pbes2), sequence(kdf, encryption));
  return pem(sequence(algorithm, octets(encrypted)));
}

export const isEncrypted = (text: string): boolean => text.includes(`BEGIN ${LABEL}`);

/** @throws OpenSSL's error for a wrong passphrase, or anything but a private key */
export const readPrivateKey = (text: string, passphrase?: string): KeyObject =>
  createPrivateKey({
    key: text,
    format: 'pem',
    ...(passphrase === undefined ? {} : { passphrase }),
  });

const pem = (der: Buffer): string =>
  [
    `-----BEGIN ${LABEL}-----`,
    ...(der.toString('base64').match(/.{1,64}/g) ?? []),
    `-----END ${LABEL}-----`,
    '',
  ].join('\n');
