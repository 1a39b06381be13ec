/**
 * The update script behind a `script-ref-id`, as the CarOTA Server writes it and the vehicle reads it.
 *
 * @module update-script
 */
export * from './compatibility.js';
export * from './daily-window.js';
export * from './install-order.js';
export * from './time-zone.js';
export * from '../contract/update-script/index.js';
export * from './validate-script.js';
export * from './versions.js';
