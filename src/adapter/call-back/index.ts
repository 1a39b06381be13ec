export * from './batch.js';
export * from './call-back.js';
export * from './receivers.js';
