export * from './guard.js';
export * from './path.js';
export * from './sequential-test.js';
