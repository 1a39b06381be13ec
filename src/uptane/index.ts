/** Uptane verification, as other parts use it. */
export {
  downloadTuf,
  initTuf,
  refreshTuf,
  type TufDownload,
  type TufRepository,
} from './clients/tuf-client.js';
export {
  initVehicle,
  type Provisioning,
  type UpdateCycle,
  updateVehicle,
} from './clients/uptane-client.js';
export { Refusal } from './refusal.js';
