/** The vehicle's connection over MQTT, with a persistent session (contract section 3). */
import { setMaxListeners } from 'node:events';
import mqtt, { type MqttClient } from 'mqtt';
import {
  DEFAULT_C2D_TOPIC,
  DEFAULT_D2C_TOPIC,
  parseBrokerUrl,
  topicTemplate,
} from '../contract/index.js';
import { type ClientTls } from './client-tls.js';
import { type CloudLink, type CloudLinkHandlers, NoSubscriber } from './cloud-link.js';

/** Broker, identity and topics of an {@link MqttLink}. */
export interface MqttLinkOptions {
  /** e.g. `mqtt://127.0.0.1:1883`, or with the hosts of a cluster `mqtts://a:8883,b:8883` */
  readonly url: string;
  readonly systemId: string;
  /** Absent: the client certificate is enough. */
  readonly credential?: string | undefined;
  readonly c2dTopic?: string;
  readonly d2cTopic?: string;
  /** For `mqtts://`: CAs to trust, and the client certificate. After a renewal, the connection is re-established with it. */
  readonly tls?: ClientTls | undefined;
  /** Called with each error of the connection, which is retried automatically. */
  readonly onError?: (error: Error) => void;
  /** Called when the broker has accepted the connection, also after a reconnect. */
  readonly onConnected?: () => void;
}

const KEEPALIVE_SECONDS = 60;
const CONNECT_TIMEOUT_MS = 60_000;
/** If another host can be tried. */
const CONNECT_TIMEOUT_IN_CLUSTER_MS = 10_000;
/** Minimum delay before a reconnect; random up to twice that, so that a fleet does not return all at once. */
const RECONNECT_MS = 1_000;
/** The session does not expire (MQTT 5, 3.1.2.11.2), as in MQTT 3.1.1. */
const NEVER = 0xffffffff;
/** CONNACK codes of brokers without MQTT 5. */
const UNSUPPORTED_VERSION = new Set<unknown>([1, 132]);
/** PUBACK reason code: no matching subscribers (MQTT 5, 3.4.2.1). */
const NO_MATCHING_SUBSCRIBERS = 0x10;

/** Brokers found to support only MQTT 3.1.1, so that a fleet in one process probes each once. */
const speaksOld = new Set<string>();

/** The vehicle’s connection over MQTT: version 5 if the broker supports it, otherwise 3.1.1; persistent session. */
export class MqttLink implements CloudLink {
  readonly #options: MqttLinkOptions;
  readonly #c2dTopic: string;
  readonly #d2cTopic: string;
  #client: MqttClient | undefined;
  #unsubscribe: (() => void) | undefined;
  /** Ends waits for an acknowledgement when the link is closed; the client library forgets them. */
  #closing = new AbortController();

  constructor(options: MqttLinkOptions) {
    this.#options = options;
    this.#c2dTopic = topicTemplate(options.c2dTopic ?? DEFAULT_C2D_TOPIC).of(options.systemId);
    this.#d2cTopic = topicTemplate(options.d2cTopic ?? DEFAULT_D2C_TOPIC).of(options.systemId);
  }

  /** Whether the broker has accepted the connection and it has not been lost since. */
  get isUp(): boolean {
    return this.#client?.connected ?? false;
  }

  open(handlers: CloudLinkHandlers): void {
    this.#closing = new AbortController();
    this.#unsubscribe = this.#options.tls?.onChange(() => this.#reconnect());
    setMaxListeners(0, this.#closing.signal);
    this.#connect(handlers);
  }

  /** The client library keeps unacknowledged messages, and sends them again on the next connection. */
  #reconnect(): void {
    const client = this.#client;
    if (!client) return;
    Object.assign(client.options, this.#options.tls?.options);
    client.stream.end();
  }

  #connect(handlers: CloudLinkHandlers): void {
    const { url, onError } = this.#options;
    const client = this.#clientOf(url);
    this.#client = client;
    client.on('message', (_topic, payload) => handlers.onMessage(payload));
    client.on('error', (error) => {
      const { code } = error as { code?: unknown };
      if (client.options.protocolVersion !== 5 || !UNSUPPORTED_VERSION.has(code)) {
        onError?.(error);
        return;
      }
      speaksOld.add(url);
      if (this.#client !== client) return;
      client.end(true);
      this.#connect(handlers);
    });
    client.on('close', () => {
      if (this.#client === client || this.#client === undefined) handlers.onDown?.();
    });
    client.on('connect', () => {
      // Even if the broker has kept the session: it may have lost the subscription.
      client.subscribe(this.#c2dTopic, { qos: 1 }, (error) => {
        if (error) onError?.(error);
      });
      this.#options.onConnected?.();
      handlers.onUp();
    });
  }

  #clientOf(url: string): MqttClient {
    const { systemId, credential, tls } = this.#options;
    const { protocol, path, hosts } = parseBrokerUrl(url);
    // Spreads a fleet over the hosts of a cluster.
    const start = Math.floor(Math.random() * hosts.length);
    const servers = [...hosts.slice(start), ...hosts.slice(0, start)].map((host) => ({ ...host }));
    const [{ host, port }] = hosts;
    return mqtt.connect(`${protocol}://${host.includes(':') ? `[${host}]` : host}:${port}${path}`, {
      clientId: systemId,
      username: systemId,
      ...(credential === undefined ? {} : { password: credential }),
      ...tls?.options,
      ...(servers.length > 1 ? { servers } : {}),
      clean: false,
      ...(speaksOld.has(url)
        ? { protocolVersion: 4 }
        : { protocolVersion: 5, properties: { sessionExpiryInterval: NEVER } }),
      keepalive: KEEPALIVE_SECONDS,
      connectTimeout: servers.length > 1 ? CONNECT_TIMEOUT_IN_CLUSTER_MS : CONNECT_TIMEOUT_MS,
      reconnectPeriod: RECONNECT_MS * (1 + Math.random()),
      // A credential that is refused now may be registered later.
      reconnectOnConnackError: true,
      resubscribe: false,
      timerVariant: 'native',
    });
  }

  async publish(payload: Buffer): Promise<void> {
    const client = this.#client;
    if (!client) throw new Error('the link is closed');
    const { signal } = this.#closing;
    await new Promise<void>((resolve, reject) => {
      const onClosed = () => reject(new Error('the link was closed'));
      signal.addEventListener('abort', onClosed, { once: true });
      client.publish(this.#d2cTopic, payload, { qos: 1 }, (error, packet) => {
        signal.removeEventListener('abort', onClosed);
        if (error) reject(error);
        else if (reasonOf(packet) === NO_MATCHING_SUBSCRIBERS) {
          reject(new NoSubscriber('the broker has no subscription for messages from vehicles'));
        } else resolve();
      });
    });
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#unsubscribe?.();
    this.#closing.abort();
    await client?.endAsync(true);
  }
}

/** Reason code of a PUBACK, which the type of `publish` lacks. */
const reasonOf = (packet: unknown): unknown => (packet as { reasonCode?: unknown }).reasonCode;
