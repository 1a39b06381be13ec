export * from './client-address.js';
export * from './connection-count.js';
export * from './http-limits.js';
export * from './loads.js';
