export * from './ecus.js';
export * from './import-ecus.js';
export * from './validate-ecus.js';
