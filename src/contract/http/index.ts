export * from './answer.js';
export * from './body.js';
export * from './pages.js';
export * from './parameters.js';
export * from './permission.js';
export * from './problem.js';
export * from './route.js';
export * from './open-api.js';
