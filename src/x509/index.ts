/** X.509 as far as we use it: certificates, requests and revocation lists, in DER and PEM. */
export * from './certificate.js';
export * from './certificate-request.js';
export * from './certs-only.js';
export * from './issued-by.js';
export * from './issuer.js';
export * from './oids.js';
export * from './pem.js';
export * from './revocation-list.js';
export * from './signatures.js';
