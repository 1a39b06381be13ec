export * from './accept-trigger.js';
export * from './control.js';
export * from './progress.js';
