export * from './config-file.js';
export * from './known.js';
export * from './limits.js';
export { type EcuSetting } from './parsers.js';
export * from './settings.js';
