export * from './entry.js';
export * from './file-journal.js';
export * from './journal.js';
export * from './vehicle-record.js';
