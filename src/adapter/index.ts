/** The interface of the OTA Adapter for the programs that start it. */
export * from './adapter.js';
export * from './settings.js';
