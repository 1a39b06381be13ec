/** TLS versions and suites of our servers (RFC 9325, sections 3.1 and 4.2; the suites are Mozilla’s “intermediate”). */
import { constants } from 'node:crypto';
import { type SecureContextOptions } from 'node:tls';

/** Forward secrecy and authenticated encryption only. */
const SUITES = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

/**
 * 112 bits: no certificate of either side, or of its chain, may have an RSA key under 2,048 bits or a SHA-1 signature.
 * OpenSSL reads the level from the list of suites.
 */
const LEVEL = '@SECLEVEL=2';

export const TLS_POLICY: SecureContextOptions = {
  minVersion: 'TLSv1.2',
  ciphers: [...SUITES, LEVEL].join(':'),
  honorCipherOrder: true,
  // A client could make the server compute handshakes over and over.
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
};
