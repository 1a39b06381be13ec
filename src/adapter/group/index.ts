export * from './adapters.js';
export * from './heartbeat.js';
export * from './traffic.js';
