export * from './issue-certificate.js';
export * from './signing-keys.js';
