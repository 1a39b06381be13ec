/** The OTA Adapter, for the parts that start it. */
export * from './adapter.js';
export * from './settings.js';
