export * from './guard.js';
export * from './sequential-test.js';
