export * from './broker-limits.js';
export * from './broker-link.js';
export * from './embedded-broker.js';
export { CHANGES_KEPT_MS } from './identity-watch.js';
export * from './message-link.js';
export * from './presence-topic.js';
export { subscriptionStatistics } from './subscription-lease.js';
export { type BrokerTls } from './transport.js';
