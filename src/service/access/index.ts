export * from './permissions.js';
export * from './sessions.js';
export * from './tokens.js';
