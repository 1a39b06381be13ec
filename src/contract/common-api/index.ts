/** Routes that the OTA Adapter and the CarOTA Server share. */
export * from './audit.js';
export * from './audit-entry.js';
export * from './audit-export.js';
export * from './certificates.js';
export * from './line-import.js';
export * from './live.js';
export * from './set-aside.js';
export * from './rejected-lines.js';
export * from './service.js';
export * from './session.js';
export * from './sign-on.js';
export * from './tokens.js';
