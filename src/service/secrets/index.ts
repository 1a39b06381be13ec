export * from './open-secret-box.js';
export * from './own-key-file.js';
export * from './secret-box.js';
