export * from './config-file.js';
export * from './known.js';
export * from './limits.js';
export * from './settings.js';
export * from './sign-on.js';
export * from './tls.js';
