export * from './exposure.js';
export * from './exposure-cap.js';
export * from './guard.js';
export * from './sequential-test.js';
