/** Enrolment of vehicles (RFC 7030): who is entitled to a certificate, and who issues it. */
export * from './authority.js';
export * from './bootstrap.js';
export * from './built-in-authority.js';
export * from './check-request.js';
export * from './codes.js';
export * from './command-authority.js';
export * from './enrolment.js';
export * from './issued.js';
