export * from './command-installer.js';
export * from './factory.js';
export * from './file-installer.js';
export { runCommand } from './run-command.js';
