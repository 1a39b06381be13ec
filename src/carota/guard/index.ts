export * from './exposure.js';
export * from './exposure-cap.js';
export * from './guard.js';
export * from './incremental-test.js';
export * from './sequential-test.js';
