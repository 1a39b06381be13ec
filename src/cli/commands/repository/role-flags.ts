/** Flags of the form ROLE=VALUE, and keys by id or file. */
import { existsSync } from 'node:fs';
import { UsageError } from '../../usage-error.js';

/** @throws UsageError */
export function pairOf(flag: string, text: string): readonly [name: string, value: string] {
  const at = text.indexOf('=');
  if (at < 1 || at === text.length - 1) {
    throw new UsageError(`${flag} ${text}: expected NAME=VALUE`);
  }
  return [text.slice(0, at), text.slice(at + 1)];
}

/** @throws UsageError */
export function thresholdOf(
  flag: string,
  text: string,
): readonly [role: string, threshold: number] {
  const [role, value] = pairOf(flag, text);
  if (!/^[1-9][0-9]{0,3}$/.test(value)) {
    throw new UsageError(`${flag} ${text}: the threshold must be a whole number of at least 1`);
  }
  return [role, Number(value)];
}

/** A key id, given directly or by a public key file. @throws UsageError, KeyFileFault */
export async function keyIdOf(flag: string, text: string): Promise<string> {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  if (!existsSync(text)) {
    throw new UsageError(
      `${flag} ${text}: expected a key id of 64 hex digits, or a public key file`,
    );
  }
  const { keyIdOfListed, readPublicKeyFile } = await import('../../../uptane/signing/index.js');
  return keyIdOfListed(await readPublicKeyFile(text));
}
