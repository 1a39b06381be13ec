/** Public keys in the form of metadata (Uptane metadata; TUF 1.0, section 4.2). */
import Type from '../typebox.js';
import { Text } from '../values/text.js';

/** `keytype`, `scheme` and `keyval.public`: Ed25519 in hex, ECDSA P-256 and RSA in PEM. */
export const MetadataKey = Type.Object(
  {
    keytype: Type.Enum(['ed25519', 'ecdsa', 'rsa']),
    scheme: Type.Enum(['ed25519', 'ecdsa-sha2-nistp256', 'rsassa-pss-sha256']),
    keyval: Type.Object(
      {
        public: Text(
          4_000,
          'Ed25519: 64 hexadecimal digits. ECDSA on P-256, and RSA of 2048 bits or more: SubjectPublicKeyInfo in PEM.',
          1,
        ),
      },
      { additionalProperties: false },
    ),
  },
  {
    additionalProperties: false,
    title: 'MetadataKey',
    description: 'A public key as Uptane metadata lists it.',
  },
);
/** A value that fits the schema {@link MetadataKey}. */
export type MetadataKey = Type.Static<typeof MetadataKey>;
