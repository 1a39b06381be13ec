/** The OTA Adapter as the command line uses it. */
export { createToken, listTokens, revokeToken, ROLES, type Role } from './access/index.js';
export * from './adapter.js';
export * from './settings.js';
export { openStorage } from './storage.js';
