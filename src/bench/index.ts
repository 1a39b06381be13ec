export * from './bench.js';
export { isReached, machine, table } from './report.js';
