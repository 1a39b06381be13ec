/** The keys of a server, which are kept outside its database: those from the settings, otherwise a generated one. */
import { hkdfSync } from 'node:crypto';
import { type Logger } from 'pino';
import { BadSettings } from '../bad-settings.js';
import { ownKeyFile } from './own-key-file.js';
import { parseSecretKey, SecretBox } from './secret-box.js';

export interface SecretKeySettings {
  /** 32 bytes in base64 each: the first seals and signs, all open and verify. */
  readonly secretKeys?: readonly string[] | undefined;
  /** undefined: the embedded database. */
  readonly databaseUrl?: string | undefined;
  readonly dataDir: string;
}

/** How to give a server a key, for messages. */
export const SECRET_KEY_ADVICE =
  'give --secret-key-file (OTAOPS_SECRET_KEY_FILE), the same for all servers on the database, with a key made by openssl rand -base64 32';

/** Servers on one database need the same key, which none of them can choose for the others. */
export const hasSecretKey = ({ secretKeys, databaseUrl }: SecretKeySettings): boolean =>
  secretKeys !== undefined || databaseUrl === undefined;

/** @param whose owner of the secrets, for the log @throws BadSettings if a key is invalid */
export async function openSecretBox(
  settings: SecretKeySettings,
  log: Logger,
  whose: string,
): Promise<SecretBox> {
  if (hasSecretKey(settings)) return new SecretBox(await keysOf(settings));
  log.warn(`secrets of ${whose} cannot be stored: ${SECRET_KEY_ADVICE}`);
  return new SecretBox([]);
}

const DERIVED_BYTES = 32;

/**
 * Keys for purposes other than sealing, derived with HKDF (RFC 5869). Without keys in the settings they are this
 * server's alone.
 *
 * @returns at least one; the first signs, all verify
 * @throws BadSettings if a key is invalid
 */
export async function derivedKeys(
  settings: SecretKeySettings,
  purpose: string,
  log: Logger,
): Promise<readonly Uint8Array[]> {
  if (!hasSecretKey(settings))
    log.warn(`${purpose} are valid at this server only: ${SECRET_KEY_ADVICE}`);
  const keys = await keysOf(settings);
  return keys.map((key) => new Uint8Array(hkdfSync('sha256', key, '', purpose, DERIVED_BYTES)));
}

async function keysOf({ secretKeys, dataDir }: SecretKeySettings): Promise<Buffer[]> {
  return secretKeys?.map(keyIn) ?? [await ownKeyFile(dataDir)];
}

function keyIn(text: string): Buffer {
  const key = parseSecretKey(text);
  if (!key) throw new BadSettings('--secret-key must be 32 bytes in base64, or a list of these');
  return key;
}
