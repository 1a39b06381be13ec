/** Connects to whichever node of the broker answers, with the newest MQTT version that it speaks. */
import { type BrokerHost } from '../../contract/index.js';
import {
  type BrokerAddress,
  BrokerConnection,
  ClosedBeforeConnack,
  ConnectionRefused,
  type ConnectionOptions,
  type Patience,
} from './broker-connection.js';
import { type MqttVersion } from './packets.js';

const PATIENCE: Patience = { pingMs: 8_000, connectMs: 10_000 };
/** Where there is another node, one that is silent is given up sooner. */
const PATIENCE_IN_CLUSTER: Patience = { pingMs: 4_000, connectMs: 3_000 };
/** CONNACK codes that say that the broker does not speak this version (MQTT 3.1.1: 1, MQTT 5: 132). */
const UNSUPPORTED_VERSION = new Set([1, 132]);

export class BrokerDialler {
  readonly #address: BrokerAddress;
  #next = 0;
  /** As the broker has shown it; undefined: not yet. */
  #version: MqttVersion | undefined;

  constructor(address: BrokerAddress) {
    this.#address = address;
  }

  /** How many addresses there are to be tried. */
  get hosts(): number {
    return this.#address.url.hosts.length;
  }

  /**
   * One try, at the next host in turn. A broker that only closes the connection is tried with
   * 3.1.1 too, unless it has spoken MQTT 5 before.
   *
   * @param withholds keep acknowledgements back until they are released
   * @throws Error where the broker cannot be reached or refuses
   */
  async connect(options: ConnectionOptions, withholds = false): Promise<BrokerConnection> {
    const { hosts } = this.#address.url;
    const host = hosts[this.#next++ % hosts.length] ?? hosts[0];
    const connection = await this.#connectTo(host, options, withholds);
    this.#version = connection.version;
    return connection;
  }

  async #connectTo(
    host: BrokerHost,
    options: ConnectionOptions,
    withholds: boolean,
  ): Promise<BrokerConnection> {
    const patience = this.hosts > 1 ? PATIENCE_IN_CLUSTER : PATIENCE;
    const connect = (version: MqttVersion) =>
      BrokerConnection.connect(this.#address, host, version, patience, withholds, options);
    try {
      return await connect(this.#version ?? 5);
    } catch (error) {
      const isOld =
        error instanceof ConnectionRefused
          ? UNSUPPORTED_VERSION.has(error.code)
          : error instanceof ClosedBeforeConnack && this.#version === undefined;
      if (!isOld) throw error;
      return await connect(4);
    }
  }
}
