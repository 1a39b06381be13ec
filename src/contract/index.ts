/**
 * What everyone outside can rely on, pure: messages, states, and the HTTP interfaces route by route.
 *
 * @module contract
 */
export * from './mqtt/asyncapi.js';
export * from './mqtt/broker-url.js';
export * from './adapter-api/carota-server-event.js';
export * from './mqtt/decode.js';
export * from './mqtt/decoded.js';
export * from './adapter-api/dispatch-options.js';
export * from './adapter-api/trigger-rate.js';
export * from './mqtt/encode.js';
export * from './mqtt/envelope.js';
export * from './carota-api/event-call-back.js';
export * from './mqtt/extra-fields.js';
export * from './mqtt/message-id.js';
export * from './mqtt/meta.js';
export * from './mqtt/ota-event.js';
export * from './mqtt/ota-trigger-ack.js';
export * from './mqtt/ota-trigger.js';
export * from './values/credential.js';
export * from './values/pattern.js';
export * from './values/text.js';
export * from './values/time.js';
export * from './values/timestamp.js';
export * from './mqtt/topics.js';
export * from './values/validate.js';
export * from './states/index.js';
export * from './values/vin.js';
export * from './backoff.js';
export * from './do-within.js';
export * from './client.js';
export * from './dead-letter-reasons.js';
export * from './errors.js';
export * from './http/index.js';
export * from './common-api/index.js';
