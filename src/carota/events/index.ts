export * from './events.js';
export * from './receive-events.js';
