export * from './bench.js';
export * from './parts.js';
export { isReached, machine, table } from './report.js';
