export * from './certificate.js';
export * from './open-certificate.js';
export * from './server-certificate.js';
export * from './trust.js';
