export * from './batch-row.js';
export * from './d2c-receiver.js';
export * from './dead-letter-limits.js';
export * from './floods.js';
export * from './ingest-batch.js';
export { DEAD_LETTER_ROW } from './ingest-statement.js';
export * from './message-budget.js';
