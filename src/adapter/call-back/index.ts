export * from './address-guard.js';
export * from './batch.js';
export * from './call-back.js';
export * from './post.js';
export * from './receivers.js';
export * from './signature.js';
