/** The keys with which secrets are stored: those of the settings, else one of our own where the database is ours alone. */
import { type Logger } from 'pino';
import { BadSettings } from '../bad-settings.js';
import { ownKeyFile } from './own-key-file.js';
import { parseSecretKey, SecretBox } from './secret-box.js';

export interface SecretBoxSettings {
  /** Encrypt secrets in the database, 32 bytes in base64 each: the first seals, all open. */
  readonly secretKeys?: readonly string[] | undefined;
  /** undefined: the embedded database. */
  readonly databaseUrl?: string | undefined;
  readonly dataDir: string;
}

/** @param whose secrets they are, for the log @throws BadSettings where a key is none */
export async function openSecretBox(
  { secretKeys, databaseUrl, dataDir }: SecretBoxSettings,
  log: Logger,
  whose = 'call-backs',
): Promise<SecretBox> {
  if (secretKeys !== undefined) return new SecretBox(secretKeys.map(keyIn));
  if (databaseUrl === undefined) return new SecretBox([await ownKeyFile(dataDir)]);
  // Servers on one database need the same key, which none of them can choose for the others.
  log.warn(`secrets of ${whose} are stored unencrypted: set --secret-key-file`);
  return new SecretBox([]);
}

function keyIn(text: string): Buffer {
  const key = parseSecretKey(text);
  if (!key) throw new BadSettings('--secret-key must be 32 bytes in base64, or a list of these');
  return key;
}
