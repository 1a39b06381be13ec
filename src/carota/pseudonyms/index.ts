/** Pseudonyms of vehicles, and their erasure. */
export * from './erase-vehicle.js';
export * from './pseudonyms.js';
