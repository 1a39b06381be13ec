/** The CarOTA Server as the command line uses it. */
export * from './carota.js';
export * from './settings.js';
