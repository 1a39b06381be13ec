/**
 * The message contract, pure: schemas, types, encode, decode and the meaning of states and times.
 *
 * @module contract
 */
export * from './mqtt/asyncapi.js';
export * from './mqtt/broker-url.js';
export * from './adapter-api/carota-server-event.js';
export * from './mqtt/decode.js';
export * from './mqtt/decoded.js';
export * from './adapter-api/dispatch-options.js';
export * from './mqtt/encode.js';
export * from './mqtt/envelope.js';
export * from './carota-api/event-call-back.js';
export * from './states/event-status.js';
export * from './mqtt/extra-fields.js';
export * from './mqtt/message-id.js';
export * from './mqtt/meta.js';
export * from './mqtt/ota-event.js';
export * from './mqtt/ota-trigger-ack.js';
export * from './mqtt/ota-trigger.js';
export * from './values/pattern.js';
export * from './values/text.js';
export * from './values/time.js';
export * from './values/timestamp.js';
export * from './mqtt/topics.js';
export * from './values/validate.js';
export * from './states/vehicle-state.js';
export * from './values/vin.js';
