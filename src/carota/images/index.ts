export * from './image-catalogue.js';
export * from './repository-folder.js';
export { repositoryMark } from './repository-mark.js';
