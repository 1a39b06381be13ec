export * from './permissions.js';
export * from './sessions.js';
export * from './tokens.js';
export { type Grants } from '../../contract/index.js';
