export * from './dead-letters.js';
export * from './replay.js';
