export * from './config-file.js';
export * from './known.js';
export * from './settings.js';
