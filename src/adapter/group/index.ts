export * from './adapters.js';
export * from './pulse.js';
