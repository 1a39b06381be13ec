/** A simulated fleet of vehicle agents. */
export * from './fleet.js';
export * from './fleet-vehicle.js';
export * from './scenario.js';
