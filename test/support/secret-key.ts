/** A key for secrets in the database, the same in all processes of a test. */
import { SecretBox } from '../../src/service/secrets/index.js';

const BYTES = Buffer.alloc(32, 7);
export const SECRET_KEY = BYTES.toString('base64');

export const testSecretBox = (): SecretBox => new SecretBox([BYTES]);
