export * from './quickstart.js';
export * from './seed-trigger.js';
