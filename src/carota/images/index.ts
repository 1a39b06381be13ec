export * from './image-catalogue.js';
export * from './repository-folder.js';
