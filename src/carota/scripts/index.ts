export * from './delete-script.js';
export * from './scripts.js';
