/** The vehicle's connection over MQTT, with a persistent session (contract section 3). */
import { setMaxListeners } from 'node:events';
import mqtt, { type MqttClient } from 'mqtt';
import { DEFAULT_C2D_TOPIC, DEFAULT_D2C_TOPIC, topicTemplate } from '../protocol/index.js';
import { type CloudLink, type CloudLinkHandlers } from './cloud-link.js';

export interface MqttLinkOptions {
  /** e.g. `mqtt://127.0.0.1:1883` */
  readonly url: string;
  readonly systemId: string;
  readonly credential: string;
  readonly c2dTopic?: string;
  readonly d2cTopic?: string;
  /** Certificates, in PEM, that a broker's one may lead to, for `mqtts://`; undefined: the well-known ones. */
  readonly ca?: string | undefined;
  readonly onError?: (error: Error) => void;
  /** The broker has accepted the connection, again. */
  readonly onConnected?: () => void;
}

const KEEPALIVE_SECONDS = 60;
const CONNECT_TIMEOUT_MS = 60_000;
/** Pause before connecting again, up to twice that, so that a fleet does not come back at once. */
const RECONNECT_MS = 1_000;

export class MqttLink implements CloudLink {
  readonly #options: MqttLinkOptions;
  readonly #c2dTopic: string;
  readonly #d2cTopic: string;
  #client: MqttClient | undefined;
  /** Ends what waits for an acknowledgement when the link is closed: the client itself forgets it. */
  #closing = new AbortController();

  constructor(options: MqttLinkOptions) {
    this.#options = options;
    this.#c2dTopic = topicTemplate(options.c2dTopic ?? DEFAULT_C2D_TOPIC).of(options.systemId);
    this.#d2cTopic = topicTemplate(options.d2cTopic ?? DEFAULT_D2C_TOPIC).of(options.systemId);
  }

  get isUp(): boolean {
    return this.#client?.connected ?? false;
  }

  open({ onMessage, onUp }: CloudLinkHandlers): void {
    const { url, systemId, credential, ca, onError } = this.#options;
    const client = mqtt.connect(url, {
      clientId: systemId,
      username: systemId,
      password: credential,
      ...(ca === undefined ? {} : { ca }),
      clean: false,
      protocolVersion: 4,
      keepalive: KEEPALIVE_SECONDS,
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectPeriod: RECONNECT_MS * (1 + Math.random()),
      // A credential that is refused now may be registered in a while.
      reconnectOnConnackError: true,
      resubscribe: false,
      timerVariant: 'native',
    });
    this.#client = client;
    this.#closing = new AbortController();
    setMaxListeners(0, this.#closing.signal);
    client.on('message', (_topic, payload) => onMessage(payload));
    client.on('error', (error) => onError?.(error));
    client.on('connect', () => {
      // Also with a session that the broker has kept: it may have lost the subscription.
      client.subscribe(this.#c2dTopic, { qos: 1 }, (error) => {
        if (error) onError?.(error);
      });
      this.#options.onConnected?.();
      onUp();
    });
  }

  async publish(payload: Buffer): Promise<void> {
    const client = this.#client;
    if (!client) throw new Error('the link is closed');
    const { signal } = this.#closing;
    await new Promise<void>((resolve, reject) => {
      const onClosed = () => reject(new Error('the link was closed'));
      signal.addEventListener('abort', onClosed, { once: true });
      client.publish(this.#d2cTopic, payload, { qos: 1 }, (error) => {
        signal.removeEventListener('abort', onClosed);
        if (error) reject(error);
        else resolve();
      });
    });
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#closing.abort();
    await client?.endAsync(true);
  }
}
