/** Digests of time stamps, by object identifier, as node:crypto calls them: nothing with SHA-1 or MD5. */
import { OID } from '../../x509/index.js';

export const DIGESTS: Readonly<Record<string, string | undefined>> = {
  [OID.sha256]: 'sha256',
  [OID.sha384]: 'sha384',
  [OID.sha512]: 'sha512',
};
