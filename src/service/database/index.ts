export * from './answers.js';
export * from './array-literal.js';
export * from './database.js';
export * from './embedded/index.js';
export { BadDatabaseUrl, databaseTarget } from './hosts.js';
export * from './migrate.js';
export * from './name-list.js';
export * from './page-by-bytes.js';
export * from './postgres.js';
