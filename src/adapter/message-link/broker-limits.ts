/** Limits of the embedded broker, each a setting (docs/deployment.md). */
import { type ConnectionLimits } from '../../service/limits/index.js';

export interface BrokerLimits {
  readonly connections: ConnectionLimits;
  /** Connections that have not signed in yet; the oldest of them makes room for a new one. */
  readonly unauthenticated: number;
  /** Until CONNECT has arrived, seconds. */
  readonly connectSeconds: number;
  /** Maximum size of a CONNECT packet, and of any data before it. */
  readonly connectBytes: number;
  /** Messages queued for a vehicle that does not read them; a new one replaces the oldest. */
  readonly queue: number;
}

/**
 * A fleet may be behind one address, be it that of a load balancer or of a mobile network. Vehicles that have signed in are
 * therefore limited by number only; one system_id has one connection.
 */
export const DEFAULT_BROKER_LIMITS: BrokerLimits = {
  connections: { inAll: 200_000, perAddress: 0 },
  unauthenticated: 10_000,
  connectSeconds: 10,
  connectBytes: 16 * 1024,
  queue: 100,
};

/** Names of limits in the metric of refusals. */
export type BrokerLimit =
  | 'mqtt-connections'
  | 'mqtt-connections-per-address'
  | 'mqtt-unauthenticated'
  | 'mqtt-slow-connect'
  | 'mqtt-connect-bytes'
  | 'mqtt-subscriptions'
  | 'mqtt-queue'
  | 'mqtt-waiting'
  | 'mqtt-sign-ins'
  | 'mqtt-certificates'
  | 'vehicle-messages';
