export * from './import-vehicles.js';
export * from './select-vehicles.js';
export * from './vehicles.js';
