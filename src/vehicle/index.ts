/** The vehicle agent: the contract's c2c-edge, to build a vehicle's own on. */
export * from './agent.js';
export * from './cloud-link.js';
export * from './mqtt-link.js';
export * from './ota-manager.js';
export * from './outbox.js';
