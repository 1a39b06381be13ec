export * from './event-status.js';
export * from './state-names.js';
export * from './vehicle-state.js';
