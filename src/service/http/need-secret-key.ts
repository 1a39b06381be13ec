/** Requests with secrets to be stored are refused if the server has no key to encrypt them. */
import { SECRET_KEY_ADVICE, type SecretBox } from '../secrets/index.js';
import { Problem } from './problem.js';

/** @throws Problem SECRET_KEY_NOT_SET */
export function needSecretKey(box: SecretBox): void {
  if (box.canSeal) return;
  throw new Problem(
    'SECRET_KEY_NOT_SET',
    `this server has no key to encrypt the secret with: ${SECRET_KEY_ADVICE}`,
  );
}
