export * from './json-body.js';
export * from './lines-body.js';
export * from './live.js';
export * from './problem.js';
export * from './route.js';
export * from './server.js';
export * from './service-routes.js';
export * from './token-routes.js';
