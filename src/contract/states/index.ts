export * from './event-status.js';
export * from './groups.js';
export * from './reason.js';
export * from './reached.js';
export * from './results.js';
export * from './state-names.js';
export * from './table.js';
export * from './vehicle-state.js';
