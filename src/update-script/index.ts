/**
 * What a `script-ref-id` stands for, as the CarOTA Server writes it and the vehicle reads it.
 *
 * @module update-script
 */
export * from './certificates.js';
export { checkPath } from './certification-path.js';
export * from './daily-window.js';
export * from './install-order.js';
export { KeyRefused } from './keys.js';
export * from './signature.js';
export * from './time-zone.js';
export * from './update-script.js';
export * from './validate-script.js';
export * from './versions.js';
