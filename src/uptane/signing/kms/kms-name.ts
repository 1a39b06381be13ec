/** Names of keys in AWS KMS, as the command line takes them in place of a file. Pure. */

const PREFIX = 'kms:';

/** ARN of a key, or of an alias (AWS KMS Developer Guide, "Key identifiers"). */
const ARN =
  /^arn:aws(?:-[a-z]+)*:kms:([a-z0-9-]+):[0-9]{12}:(?:key\/[A-Za-z0-9-]+|alias\/[A-Za-z0-9/_-]+)$/;

/** `kms:ARN` → the ARN, not validated; undefined for a file. */
export const kmsKeyIn = (text: string): string | undefined =>
  text.startsWith(PREFIX) ? text.slice(PREFIX.length) : undefined;

/** @returns undefined unless it is the ARN of a key or an alias */
export const regionOfKmsKey = (arn: string): string | undefined => ARN.exec(arn)?.[1];
