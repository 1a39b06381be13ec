export * from './progress-view.js';
export * from './quickstart.js';
export * from './seed-trigger.js';
