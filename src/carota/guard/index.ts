export * from './due.js';
export * from './exposure-cap.js';
export * from './exposure.js';
export * from './guard.js';
export * from './incremental-test.js';
export * from './retry.js';
export * from './sequential-test.js';
