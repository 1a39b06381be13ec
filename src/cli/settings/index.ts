export * from './config-file.js';
export * from './all-settings.js';
export * from './limits.js';
export * from './settings.js';
export * from './sign-on.js';
export * from './tls.js';
