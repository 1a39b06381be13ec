/** The OTA Adapter as the command line uses it. */
export * from './adapter.js';
export * from './settings.js';
