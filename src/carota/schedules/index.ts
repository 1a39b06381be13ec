export * from './adapter-client.js';
export * from './advance.js';
export * from './plan.js';
export * from './preview.js';
export * from './schedule-record.js';
export * from './scheduler.js';
export * from './schedules.js';
export { mostWaves } from './wave-sizes.js';
