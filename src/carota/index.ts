/** The interface of the CarOTA Server for the programs that start it. */
export * from './carota.js';
export * from './settings.js';
