/** Options of a connection to a broker, and its possible failures. */
import { type BrokerUrl } from '../../contract/index.js';
import { type Arrival } from '../d2c-receiver/index.js';
import { type BrokerTls } from './transport.js';

/** Where the broker is, and our certificate for it. */
export interface BrokerAddress {
  readonly url: BrokerUrl;
  readonly tls: BrokerTls;
}

export interface ConnectionOptions {
  readonly clientId: string;
  /** Whether the broker drops the session when the connection ends. */
  readonly clean: boolean;
  /** How long it keeps the session otherwise, seconds (MQTT 5). */
  readonly sessionExpirySeconds: number;
  /** ms */
  readonly clock: () => number;
  /** A message of the session; the caller acknowledges it to the broker. */
  readonly onMessage: (message: Arrival, retained: boolean) => void;
  /** Resolves when there is room for more messages; undefined: there is room. */
  readonly backpressure: () => Promise<void> | undefined;
  /** Ends an attempt to connect; an established connection stays. */
  readonly abandon?: AbortSignal;
  /** An established connection was lost; not called after `disconnect`. */
  readonly onClosed: (why: Error) => void;
}

/** How often to ping, and how long CONNACK may take, ms. */
export interface Patience {
  readonly pingMs: number;
  readonly connectMs: number;
}

/** Reason codes of a misconfigured connection (MQTT 3.1.1, 3.2.2.3; MQTT 5, 3.2.2.2). */
const REASONS: Readonly<Record<number, string>> = {
  1: 'protocol version',
  2: 'client id',
  4: 'user or password',
  5: 'not authorised',
  132: 'protocol version',
  133: 'client id',
  134: 'user or password',
  135: 'not authorised',
  142: 'another client has connected with the same client id',
};

/** A reason code with its meaning, for error messages. */
export const reasonCode = (code: number): string =>
  code in REASONS ? `code ${code} (${REASONS[code]})` : `code ${code}`;

/** The broker refused the connection. `code` is CONNACK's. */
export class ConnectionRefused extends Error {
  override readonly name = 'ConnectionRefused';
  readonly code: number;

  constructor(code: number) {
    super(`the broker refuses the connection, ${reasonCode(code)}`);
    this.code = code;
  }
}

/** The connection ended before CONNACK. */
export class ClosedBeforeConnack extends Error {
  override readonly name = 'ClosedBeforeConnack';
}
