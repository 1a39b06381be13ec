/** Signing of Uptane metadata, as other parts use it. */
export { generateKey } from './generate-key.js';
export {
  keyText,
  openKeyFile,
  publicFileOf,
  readPublicKeyFile,
  writeKeyFile,
  writePublicKeyFile,
} from './key-file.js';
export { kmsKeyIn } from './kms/kms-name.js';
export { openKmsKey } from './kms/kms-key.js';
export { publicKeyOf } from './listed-key.js';
export { openToken } from './pkcs11/token.js';
export { isOnlineRole, ONLINE_ROLES, type OnlineRole } from './process/permission.js';
export { SignerClient } from './process/signer-client.js';
export { type OnlineKey, SignerServer } from './process/signer-server.js';
export { signatureBy } from './sign.js';
export { keyIdOfListed, type KeyType, type ListedKey, type Signer } from './signer.js';
