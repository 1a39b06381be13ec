export * from './deliveries.js';
export * from './expected-images.js';
export * from './image-repository.js';
export * from './image-url.js';
export * from './keep-fresh.js';
export * from './open.js';
export * from './published-images.js';
