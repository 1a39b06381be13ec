/** The CarOTA Server, for the parts that start it. */
export * from './carota.js';
export * from './settings.js';
