export * from './credential.js';
export * from './import.js';
export * from './vehicles.js';
