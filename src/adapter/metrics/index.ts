export { messageTotals } from './durable.js';
export * from './metrics.js';
