/** Hash chains and their seals. */
export * from './chain-line.js';
export * from './link.js';
export * from './seal.js';
export * from './seal-key.js';
export * from './verify-chain.js';
