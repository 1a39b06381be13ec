export * from './credential.js';
export * from './identities.js';
export * from './import.js';
export * from './vehicles.js';
