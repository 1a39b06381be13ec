export * from './attack-reports.js';
export * from './director.js';
export * from './director-keys.js';
export * from './given-script.js';
export { findLastManifest } from './manifests.js';
export * from './ordered.js';
export * from './standing.js';
export { findManifest } from './stored-manifest.js';
export { UnknownVehicle } from './vehicle-metadata.js';
