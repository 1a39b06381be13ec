export * from './http-downloads.js';
