export * from './own-key-file.js';
export * from './reseal.js';
export * from './secret-box.js';
export * from './server-keys.js';
