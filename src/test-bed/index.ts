/** Real servers in separate processes, on free ports and in temporary directories, for the benchmark and the tests. */
export * from './adapter-process.js';
export * from './mosquitto.js';
export * from './place.js';
export * from './postgres.js';
export * from './program.js';
export { type Server } from './server-process.js';
