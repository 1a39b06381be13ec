export * from './attempt.js';
export * from './claims.js';
export * from './logout-token.js';
export * from './open-sign-on.js';
export * from './provider.js';
export * from './settings.js';
