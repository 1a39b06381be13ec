/** Pseudonyms of vehicles, and how one is forgotten. */
export * from './erase-vehicle.js';
export * from './pseudonyms.js';
