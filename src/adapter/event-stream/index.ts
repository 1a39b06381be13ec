export * from './event-body.js';
export * from './event-stream.js';
export * from './read-events.js';
export * from './sequence.js';
