/** What the imports of both servers share. */
export * from './rejections.js';
export * from './store-each.js';
export * from './vehicle-line.js';
