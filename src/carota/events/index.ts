export * from './arrived.js';
export * from './events.js';
export * from './receive-events.js';
export * from './refused-events.js';
export * from './replay.js';
