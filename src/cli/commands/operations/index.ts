export * from './operations.js';
export * from './shown.js';
