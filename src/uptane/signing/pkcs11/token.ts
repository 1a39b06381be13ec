/** Keys in a PKCS #11 token: a hardware security module, a smart card, or SoftHSM. They never leave it. */
import { createHash, createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { integer, octets, oid, sequence } from '../../../asn1/index.js';
import { listedKeyOf } from '../listed-key.js';
import { keyIdOfListed, type KeyType, type ListedKey, type Signer } from '../signer.js';
import {
  CKA_CLASS,
  CKA_EC_PARAMS,
  CKA_EC_POINT,
  CKA_EXTRACTABLE,
  CKA_ID,
  CKA_KEY_TYPE,
  CKA_LABEL,
  CKA_MODULUS,
  CKA_MODULUS_BITS,
  CKA_PRIVATE,
  CKA_PUBLIC_EXPONENT,
  CKA_SENSITIVE,
  CKA_SIGN,
  CKA_TOKEN,
  CKA_VERIFY,
  CKF_RW_SESSION,
  CKF_SERIAL_SESSION,
  CKG_MGF1_SHA256,
  CKK_EC,
  CKK_EC_EDWARDS,
  CKK_RSA,
  CKM_EC_EDWARDS_KEY_PAIR_GEN,
  CKM_EC_KEY_PAIR_GEN,
  CKM_ECDSA,
  CKM_EDDSA,
  CKM_RSA_PKCS_KEY_PAIR_GEN,
  CKM_SHA256,
  CKM_SHA256_RSA_PKCS_PSS,
  CKO_PRIVATE_KEY,
  CKO_PUBLIC_KEY,
  CKR_CRYPTOKI_ALREADY_INITIALIZED,
  CKR_USER_ALREADY_LOGGED_IN,
  CKU_USER,
} from './constants.js';
import {
  type Attribute,
  type Cryptoki,
  loadCryptoki,
  type Mechanism,
  Pkcs11Fault,
  ulong,
} from './cryptoki.js';

export interface TokenAddress {
  /** The vendor's library, e.g. `/usr/lib/softhsm/libsofthsm2.so`. */
  readonly modulePath: string;
  /** `undefined`: the only token. */
  readonly tokenLabel?: string | undefined;
}

export interface TokenKey {
  readonly label: string;
  readonly key: ListedKey;
  readonly keyId: string;
}

const PRIME256V1 = oid('1.2.840.10045.3.1.7');
/** `edwards25519` as a PrintableString, as PKCS #11 3.0 and SoftHSM write it. */
const EDWARDS25519 = Buffer.concat([Buffer.from([0x13, 12]), Buffer.from('edwards25519')]);
const RSA_BITS = 3072;
const HASH_BYTES = 32;
/** Length of the longest signature: RSA with 8,192 bits. */
const LONGEST_SIGNATURE = 1024;

/** @throws Pkcs11Fault */
export async function openToken(
  { modulePath, tokenLabel }: TokenAddress,
  pin: string,
): Promise<Token> {
  const cryptoki = await loadCryptoki(modulePath);
  cryptoki.call('C_Initialize', [null], [CKR_CRYPTOKI_ALREADY_INITIALIZED]);
  const slot = slotOf(cryptoki, tokenLabel);
  const session = ulong(0);
  const flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
  cryptoki.call('C_OpenSession', [slot, flags, null, null, session]);
  const token = new Token(cryptoki, session.readBigUInt64LE());
  try {
    token.logIn(pin);
  } catch (error) {
    token.close();
    throw error;
  }
  return token;
}

function slotOf(cryptoki: Cryptoki, wanted: string | undefined): bigint {
  const slots = cryptoki.list('C_GetSlotList', [1]).map((slot) => {
    // `CK_TOKEN_INFO` starts with the label, padded to 32 bytes with spaces.
    const info = Buffer.alloc(512);
    cryptoki.call('C_GetTokenInfo', [slot, info]);
    return { slot, label: info.subarray(0, 32).toString('utf8').trimEnd() };
  });
  const usable = slots.filter(({ label }) =>
    wanted === undefined ? label !== '' : label === wanted,
  );
  const [only] = usable;
  if (only && usable.length === 1) return only.slot;
  const labels = slots.map(({ label }) => JSON.stringify(label)).join(', ');
  throw new Pkcs11Fault(
    wanted === undefined
      ? `which token? There are ${labels || 'none'}`
      : `there ${usable.length === 0 ? 'is no token' : 'are several tokens'} labelled ${JSON.stringify(wanted)}, only ${labels}`,
  );
}

class Token {
  readonly #cryptoki: Cryptoki;
  readonly #session: bigint;

  constructor(cryptoki: Cryptoki, session: bigint) {
    this.#cryptoki = cryptoki;
    this.#session = session;
  }

  logIn(pin: string): void {
    const bytes = Buffer.from(pin);
    this.#cryptoki.call(
      'C_Login',
      [this.#session, CKU_USER, bytes, bytes.length],
      [CKR_USER_ALREADY_LOGGED_IN],
    );
    bytes.fill(0);
  }

  close(): void {
    this.#cryptoki.call('C_CloseSession', [this.#session]);
  }

  /** Keys supported by metadata; others are omitted. */
  keys(): TokenKey[] {
    return this.#publicKeys([]).flatMap((object) => {
      const key = this.#listed(object);
      const label = this.#cryptoki.attribute(this.#session, object, CKA_LABEL).toString('utf8');
      return key ? [{ label, key, keyId: keyIdOfListed(key) }] : [];
    });
  }

  /** @throws Pkcs11Fault unless there is exactly one such key pair, of a type supported by metadata */
  signer(label: string): Signer {
    const [publicKey, ...others] = this.#publicKeys([labelled(label)]);
    if (publicKey === undefined || others.length > 0) {
      const labels = this.keys().map((key) => JSON.stringify(key.label));
      throw new Pkcs11Fault(
        `the token has ${others.length === 0 ? 'no key' : 'several keys'} labelled ${JSON.stringify(label)}; it has ${labels.join(', ') || 'none'}`,
      );
    }
    const key = this.#listed(publicKey);
    if (key === undefined) {
      throw new Pkcs11Fault(`the key ${label} is not an Ed25519, ECDSA P-256 or RSA key`);
    }
    const privateKey = this.#privateKeyOf(publicKey, label);
    return {
      key,
      keyId: keyIdOfListed(key),
      sign: async (message) => this.#sign(privateKey, key.keytype, message),
    };
  }

  /** Generates a non-extractable key pair in the token. @throws Pkcs11Fault */
  generate(type: KeyType, label: string): ListedKey {
    if (this.#publicKeys([labelled(label)]).length > 0) {
      throw new Pkcs11Fault(`the token has a key labelled ${JSON.stringify(label)} already`);
    }
    const { mechanism, attributes } = GENERATION[type];
    const id: Attribute = { type: CKA_ID, value: randomBytes(16) };
    const publicTemplate = [labelled(label), id, ON_TOKEN, is(CKA_VERIFY, true), ...attributes];
    const privateTemplate = [
      ...[labelled(label), id, ON_TOKEN, is(CKA_PRIVATE, true), is(CKA_SIGN, true)],
      ...[is(CKA_SENSITIVE, true), is(CKA_EXTRACTABLE, false)],
    ];
    const cryptoki = this.#cryptoki;
    const publicKey = ulong(0);
    cryptoki.withMechanism({ type: mechanism }, (made) =>
      cryptoki.withAttributes(publicTemplate, (publicAttributes) =>
        cryptoki.withAttributes(privateTemplate, (privateAttributes) =>
          cryptoki.call('C_GenerateKeyPair', [
            this.#session,
            made,
            publicAttributes,
            publicTemplate.length,
            privateAttributes,
            privateTemplate.length,
            publicKey,
            ulong(0),
          ]),
        ),
      ),
    );
    const key = this.#listed(publicKey.readBigUInt64LE());
    if (key === undefined) throw new Pkcs11Fault('the token made a key that cannot be read');
    return key;
  }

  #publicKeys(attributes: readonly Attribute[]): bigint[] {
    return this.#cryptoki.findObjects(this.#session, [
      { type: CKA_CLASS, value: ulong(CKO_PUBLIC_KEY) },
      ...attributes,
    ]);
  }

  #privateKeyOf(publicKey: bigint, label: string): bigint {
    const id = this.#cryptoki.attribute(this.#session, publicKey, CKA_ID);
    const found = this.#cryptoki.findObjects(this.#session, [
      { type: CKA_CLASS, value: ulong(CKO_PRIVATE_KEY) },
      { type: CKA_ID, value: id },
    ]);
    const [privateKey] = found;
    if (privateKey !== undefined && found.length === 1) return privateKey;
    throw new Pkcs11Fault(`the token has no private key for ${JSON.stringify(label)}`);
  }

  /** `undefined`: metadata does not support this key. */
  #listed(publicKey: bigint): ListedKey | undefined {
    const attribute = (type: number) => this.#cryptoki.attribute(this.#session, publicKey, type);
    const type = Number(attribute(CKA_KEY_TYPE).readBigUInt64LE());
    try {
      return listedKeyOf(publicKeyOf(type, attribute));
    } catch {
      return undefined;
    }
  }

  #sign(privateKey: bigint, type: KeyType, message: Uint8Array): Buffer {
    const { mechanism, isHashed } = SIGNING[type];
    const input = isHashed ? createHash('sha256').update(message).digest() : Buffer.from(message);
    const signature = Buffer.alloc(LONGEST_SIGNATURE);
    const length = ulong(signature.length);
    const cryptoki = this.#cryptoki;
    cryptoki.withMechanism(mechanism, (made) => {
      cryptoki.call('C_SignInit', [this.#session, made, privateKey]);
      cryptoki.call('C_Sign', [this.#session, input, input.length, signature, length]);
    });
    const bytes = signature.subarray(0, Number(length.readBigUInt64LE()));
    return type === 'ecdsa' ? derSignature(bytes) : bytes;
  }
}

const labelled = (label: string): Attribute => ({ type: CKA_LABEL, value: Buffer.from(label) });
const is = (type: number, value: boolean): Attribute => ({
  type,
  value: Buffer.from([value ? 1 : 0]),
});
const ON_TOKEN = is(CKA_TOKEN, true);

const GENERATION: Readonly<
  Record<KeyType, { mechanism: number; attributes: readonly Attribute[] }>
> = {
  ed25519: {
    mechanism: CKM_EC_EDWARDS_KEY_PAIR_GEN,
    attributes: [{ type: CKA_EC_PARAMS, value: EDWARDS25519 }],
  },
  ecdsa: {
    mechanism: CKM_EC_KEY_PAIR_GEN,
    attributes: [{ type: CKA_EC_PARAMS, value: PRIME256V1 }],
  },
  rsa: {
    mechanism: CKM_RSA_PKCS_KEY_PAIR_GEN,
    attributes: [
      { type: CKA_MODULUS_BITS, value: ulong(RSA_BITS) },
      { type: CKA_PUBLIC_EXPONENT, value: Buffer.from([1, 0, 1]) },
    ],
  },
};

const SIGNING: Readonly<Record<KeyType, { mechanism: Mechanism; isHashed: boolean }>> = {
  ed25519: { mechanism: { type: CKM_EDDSA }, isHashed: false },
  ecdsa: { mechanism: { type: CKM_ECDSA }, isHashed: true },
  rsa: {
    mechanism: {
      type: CKM_SHA256_RSA_PKCS_PSS,
      // `CK_RSA_PKCS_PSS_PARAMS`
      parameter: Buffer.concat([ulong(CKM_SHA256), ulong(CKG_MGF1_SHA256), ulong(HASH_BYTES)]),
    },
    isHashed: false,
  },
};

/** The token returns r and s concatenated; metadata has them in DER. */
function derSignature(bytes: Buffer): Buffer {
  const half = bytes.length / 2;
  const number = (from: number, to?: number) =>
    integer(BigInt(`0x${bytes.toString('hex', from, to)}`));
  return sequence(number(0, half), number(half));
}

function publicKeyOf(type: number, attribute: (type: number) => Buffer): KeyObject {
  const base64url = (bytes: Buffer) => bytes.toString('base64url');
  if (type === CKK_RSA) {
    const jwk = {
      kty: 'RSA',
      n: base64url(attribute(CKA_MODULUS)),
      e: base64url(attribute(CKA_PUBLIC_EXPONENT)),
    };
    return createPublicKey({ key: jwk, format: 'jwk' });
  }
  const point = pointOf(attribute(CKA_EC_POINT));
  if (type === CKK_EC_EDWARDS) {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: base64url(point) };
    return createPublicKey({ key: jwk, format: 'jwk' });
  }
  const isP256 = type === CKK_EC && attribute(CKA_EC_PARAMS).equals(PRIME256V1);
  if (!isP256 || point.length !== 65) throw new Pkcs11Fault('is not a key on the curve P-256');
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map(base64url);
  return createPublicKey({
    key: { kty: 'EC', crv: 'P-256', ...(x ? { x } : {}), ...(y ? { y } : {}) },
    format: 'jwk',
  });
}

/** Most tokens wrap the point in a DER OCTET STRING; some omit it. */
function pointOf(value: Buffer): Buffer {
  const content = value.subarray(2);
  return octets(content).equals(value) ? content : value;
}
