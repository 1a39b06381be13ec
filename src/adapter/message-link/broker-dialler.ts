/** Connects to the first node of the broker that answers, with the newest MQTT version it supports. */
import { BrokerConnection } from './broker-connection.js';
import {
  type BrokerAddress,
  ClosedBeforeConnack,
  ConnectionRefused,
  type ConnectionOptions,
  type Patience,
} from './connection-options.js';
import { type MqttVersion } from './packets.js';

const PATIENCE: Patience = { pingMs: 4_000, connectMs: 10_000 };
/** With other nodes to try, an unresponsive one is abandoned sooner. */
const PATIENCE_IN_CLUSTER: Patience = { pingMs: 4_000, connectMs: 3_000 };
/** CONNACK codes for an unsupported protocol version (MQTT 3.1.1: 1, MQTT 5: 132). */
const UNSUPPORTED_VERSION = new Set([1, 132]);

export class BrokerDialler {
  readonly #address: BrokerAddress;
  #next = 0;
  /** The version that the broker supports beyond doubt; undefined: not known yet. */
  #version: MqttVersion | undefined;

  constructor(address: BrokerAddress) {
    this.#address = address;
  }

  /** Number of addresses to try. */
  get hosts(): number {
    return this.#address.url.hosts.length;
  }

  /**
   * One attempt, at the next host in turn. If the broker closes the connection without a CONNACK, MQTT 3.1.1 is tried
   * too, unless the broker has accepted MQTT 5 before. It may also have died just then, so the next attempt is MQTT 5 again.
   *
   * @param withholds withhold acknowledgements until they are released
   * @throws Error where the broker is unreachable or refuses the connection
   */
  async connect(options: ConnectionOptions, withholds = false): Promise<BrokerConnection> {
    const { hosts } = this.#address.url;
    const host = hosts[this.#next++ % hosts.length] ?? hosts[0];
    const patience = this.hosts > 1 ? PATIENCE_IN_CLUSTER : PATIENCE;
    const connect = (version: MqttVersion) =>
      BrokerConnection.connect(this.#address, host, version, patience, withholds, options);
    try {
      const connection = await connect(this.#version ?? 5);
      this.#version = connection.version;
      return connection;
    } catch (error) {
      if (error instanceof ConnectionRefused && UNSUPPORTED_VERSION.has(error.code)) {
        this.#version = 4;
      } else if (!(error instanceof ClosedBeforeConnack) || this.#version !== undefined) {
        throw error;
      }
      return await connect(4);
    }
  }
}
