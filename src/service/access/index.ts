export * from './caller.js';
export * from './permissions.js';
export * from './sessions.js';
export * from './sign-in-guard.js';
export * from './sign-in-limits.js';
export * from './sign-in-metrics.js';
export * from './tokens.js';
