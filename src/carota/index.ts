/** The CarOTA Server as the command line uses it. */
export { CAROTA_ROLES } from './access.js';
export * from './carota.js';
export * from './settings.js';
