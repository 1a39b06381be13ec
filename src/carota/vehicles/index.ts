export * from './import-vehicles.js';
export * from './select-vehicles.js';
export { SystemIdForbidden } from './system-ids.js';
export * from './vehicles.js';
