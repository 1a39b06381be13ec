export * from './address-guard.js';
export * from './post.js';
export * from './signature.js';
