export * from './context.js';
export * from './server.js';
