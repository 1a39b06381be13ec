export * from './batch-row.js';
export * from './d2c-receiver.js';
export * from './ingest-batch.js';
