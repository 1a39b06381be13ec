/** The keys with which secrets are stored: those of the settings, else one of our own where the database is ours alone. */
import { type Logger } from 'pino';
import { BadSettings } from '../service/bad-settings.js';
import { ownKey, parseSecretKey, SecretBox } from '../service/secrets/index.js';
import { type AdapterSettings } from './settings.js';

/** @throws BadSettings where a key is none */
export async function openSecretBox(
  { secretKeys, databaseUrl, dataDir }: AdapterSettings,
  log: Logger,
): Promise<SecretBox> {
  if (secretKeys !== undefined) return new SecretBox(secretKeys.map(keyIn));
  if (databaseUrl === undefined) return new SecretBox([await ownKey(dataDir)]);
  // Adapters on one database need the same key, which none of them can choose for the others.
  log.warn('secrets of call-backs are stored unencrypted: set --secret-key-file');
  return new SecretBox([]);
}

function keyIn(text: string): Buffer {
  const key = parseSecretKey(text);
  if (!key) throw new BadSettings('--secret-key must be 32 bytes in base64, or a list of these');
  return key;
}
