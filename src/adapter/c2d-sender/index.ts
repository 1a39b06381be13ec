export * from './c2d-sender.js';
export * from './retry.js';
export * from './settle-sends.js';
