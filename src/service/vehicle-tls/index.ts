/** TLS with client certificates for vehicles, shared by both servers. */
export * from './failed-certificate.js';
export * from './revoked-serials.js';
export * from './tls-files.js';
export * from './vehicle-name.js';
export * from './vehicle-tls.js';
