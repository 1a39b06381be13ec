export * from './accept-trigger.js';
export * from './control.js';
export * from './export.js';
export * from './progress.js';
export * from './retrigger.js';
export * from './summary.js';
export * from './timeline.js';
