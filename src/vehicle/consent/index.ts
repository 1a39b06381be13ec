export * from './automatic-consent.js';
export * from './ivi-page.js';
export * from './terminal-consent.js';
