export * from './artifact-store.js';
export * from './artifacts.js';
export * from './disk-store.js';
export * from './requested-range.js';
export * from './s3-store.js';
export * from './signed-url.js';
