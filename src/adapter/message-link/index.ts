export * from './embedded-broker.js';
export * from './message-link.js';
