export * from './channels.js';
export * from './deliveries.js';
export * from './notify.js';
export * from './rules.js';
export * from './sender.js';
export * from './watch.js';
