/** Hash chains and their seals. */
export { type Signer } from '../../uptane/signing/index.js';
export * from './chain-line.js';
export * from './link.js';
export * from './seal.js';
export * from './seal-key.js';
export * from './verify-chain.js';
