/** Shared code of both servers' imports. */
export * from './rejections.js';
export * from './store-each.js';
export * from './vehicle-line.js';
