/** The vehicle's own client certificate: enrolment, storage, renewal. */
export * from './certificate-store.js';
export * from './est-client.js';
export * from './own-certificate.js';
