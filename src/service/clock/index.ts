export * from './database-clock.js';
export * from './metric.js';
