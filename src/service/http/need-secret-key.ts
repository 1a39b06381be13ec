/** What a request has stored is encrypted, or refused. */
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
