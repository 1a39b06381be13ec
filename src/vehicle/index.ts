/**
 * The vehicle agent: the contract's c2c-edge, as a library for real vehicles.
 *
 * @module vehicle
 */
export * from './agent.js';
export * from './client-tls.js';
export * from './cloud-link.js';
export * from './consent/index.js';
export * from './download/index.js';
export * from './ecu/ecu-identity.js';
export * from './enrolment/index.js';
export * from './file-conditions.js';
export * from './identity.js';
export * from './installer/index.js';
export * from './journal/index.js';
export * from './mqtt-link.js';
export * from './ota-manager.js';
export * from './outbox.js';
export {
  type InitialTrust,
  type InventoryEntry,
  provisionSecondary,
  provisionVehicle,
  secondaryFiles,
  vehicleFiles,
} from './provisioning/provision.js';
export * from './provisioning/provisioning-fault.js';
export * from './real-vehicle.js';
export * from './reboots.js';
export * from './secondary/file-secondary.js';
export * from './secondary/link/secondary-link.js';
export * from './secondary/link/serve-secondary.js';
export * from './secondary/secondary.js';
export * from './update/index.js';
export { type EcuImage } from '../contract/carota-api/index.js';
export { type TransferRate } from '../uptane/limits.js';
export { type KeyType, type ListedKey } from '../uptane/signing/index.js';
export { type Patience } from './uptane-equipment.js';
export * from './vehicle-clock.js';
