/** The OTA Adapter as the command line uses it. */
export * from './adapter.js';
export { ADAPTER_SCHEMA } from './schema.js';
export * from './settings.js';
