/**
 * One connection to an MQTT broker under one client id: MQTT 5, else 3.1.1. What arrives is handed
 * on at once, so that batches can form, and acknowledged to the broker when the caller says so.
 */
import { setMaxListeners } from 'node:events';
import mqtt, { type IConnackPacket, type IPublishPacket, type MqttClient } from 'mqtt';
import { type OutgoingMessage } from '../c2d-sender/index.js';
import { type Received } from '../d2c-receiver/index.js';

/** Where the broker is and who we are to it. */
export interface BrokerAddress {
  /** `mqtt://`, `mqtts://`, `ws://` or `wss://`, with user and password where it wants them. */
  readonly url: string;
  /** PEM texts: certificate authority of the broker, and our own certificate and key. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface ConnectionOptions {
  readonly address: BrokerAddress;
  readonly clientId: string;
  /** How long the broker keeps the session while nobody is connected, seconds (MQTT 5). */
  readonly sessionExpirySeconds: number;
  /** A connection that is silent for one and a half times this is given up, seconds. */
  readonly keepaliveSeconds: number;
  /** ms */
  readonly clock: () => number;
  /** Messages of the session. `settle` acknowledges it to the broker. */
  readonly onMessage: (received: Received, settle: () => void, retained: boolean) => void;
  /** Resolves when more messages may be taken; undefined: at once. */
  readonly backpressure: () => Promise<void> | undefined;
  readonly onClosed: (why: Error | undefined) => void;
}

/** Messages that the broker may have under way to us (MQTT 5, 3.1.2.11.3). */
const RECEIVE_MAXIMUM = 4_096;
const CONNECT_TIMEOUT_MS = 10_000;
/** CONNACK codes that say that the broker does not speak this version (MQTT 3.1.1: 1, MQTT 5: 132). */
const UNSUPPORTED_VERSION = new Set<unknown>([1, 132]);

type ProtocolVersion = 4 | 5;

/**
 * Connects to the session of the client id, with MQTT 5 if the broker speaks it. A broker that
 * only closes the connection is tried with 3.1.1 too.
 *
 * @throws Error where the broker cannot be reached or refuses
 */
export async function connectToBroker(options: ConnectionOptions): Promise<BrokerConnection> {
  try {
    return await connectWith(5, options);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (!(error instanceof ClosedBeforeConnack) && !UNSUPPORTED_VERSION.has(code)) throw error;
    return await connectWith(4, options);
  }
}

class ClosedBeforeConnack extends Error {
  override readonly name = 'ClosedBeforeConnack';
}

async function connectWith(
  version: ProtocolVersion,
  options: ConnectionOptions,
): Promise<BrokerConnection> {
  const { address, clientId, sessionExpirySeconds, keepaliveSeconds } = options;
  const { url, ...tls } = address;
  const client = mqtt.connect(url, {
    ...tls,
    clientId,
    protocolVersion: version,
    clean: false,
    keepalive: keepaliveSeconds,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // The caller connects again, after it has made sure that the session is still its own.
    reconnectPeriod: 0,
    resubscribe: false,
    timerVariant: 'native',
    ...(version === 5
      ? {
          properties: {
            sessionExpiryInterval: sessionExpirySeconds,
            receiveMaximum: RECEIVE_MAXIMUM,
          },
        }
      : {}),
  });
  // The session's messages may come in one packet with the CONNACK.
  const connection = new BrokerConnection(client, version, options);
  await new Promise<void>((resolve, reject) => {
    let failure: Error | undefined;
    client.on('error', (error) => (failure = error));
    client.once('close', () =>
      reject(failure ?? new ClosedBeforeConnack('the broker closed the connection')),
    );
    client.once('connect', () => resolve());
  }).catch((error: unknown) => {
    client.end(true);
    throw error;
  });
  return connection;
}

export class BrokerConnection {
  readonly #client: MqttClient;
  readonly #version: ProtocolVersion;
  readonly #options: ConnectionOptions;
  /** Ends what waits for the broker when the connection breaks: the client itself forgets it. */
  readonly #broken = new AbortController();
  #connack: IConnackPacket | undefined;
  #acks: number[] = [];
  #unsettled = 0;
  #lastArrival = 0;

  /** Use {@link connectToBroker}. */
  constructor(client: MqttClient, version: ProtocolVersion, options: ConnectionOptions) {
    this.#client = client;
    this.#version = version;
    this.#options = options;
    setMaxListeners(0, this.#broken.signal);
    let failure: Error | undefined;
    client.on('error', (error) => (failure = error));
    client.once('connect', (connack) => {
      this.#connack = connack;
      client.once('close', () => {
        this.#broken.abort();
        options.onClosed(failure);
      });
    });
    client.handleMessage = (packet, done) => this.#take(packet, done);
  }

  get isConnected(): boolean {
    return this.#client.connected;
  }

  /** Whether the broker still had the session (MQTT 5, 3.2.2.1.1). */
  get sessionPresent(): boolean {
    return this.#connack?.sessionPresent ?? false;
  }

  /** Whether subscriptions can be shared among several adapters. */
  get canShare(): boolean {
    return this.#version === 5 && this.#connack?.properties?.sharedSubscriptionAvailable !== false;
  }

  /** Messages that were taken and are not acknowledged. */
  get unsettled(): number {
    return this.#unsettled;
  }

  /** When the last message came, ms; 0: none yet. */
  get lastArrival(): number {
    return this.#lastArrival;
  }

  /** @throws Error where the broker refuses the subscription */
  async subscribe(filter: string): Promise<void> {
    const [granted] = await this.#client.subscribeAsync(filter, { qos: 1 });
    if ((granted?.qos ?? 128) >= 128) {
      throw new Error(`the broker refuses the subscription to ${filter}`);
    }
  }

  async unsubscribe(filter: string): Promise<void> {
    await this.#client.unsubscribeAsync(filter);
  }

  /** Resolves when the broker has taken the message (QoS 1). */
  publish({ topic, payload, expirySeconds }: OutgoingMessage): Promise<void> {
    const { signal } = this.#broken;
    return new Promise<void>((resolve, reject) => {
      const onBroken = () => reject(new Error('the connection to the broker broke'));
      if (signal.aborted) {
        onBroken();
        return;
      }
      signal.addEventListener('abort', onBroken, { once: true });
      const expires = this.#version === 5 && expirySeconds !== undefined;
      this.#client.publish(
        topic,
        payload,
        { qos: 1, ...(expires ? { properties: { messageExpiryInterval: expirySeconds } } : {}) },
        (error) => {
          signal.removeEventListener('abort', onBroken);
          if (error) reject(error);
          else resolve();
        },
      );
    });
  }

  /**
   * @param endSession the broker forgets the session and what is queued in it; else it keeps both
   */
  async close({ endSession }: { endSession: boolean }): Promise<void> {
    this.#sendAcks();
    if (!this.#client.connected) {
      this.#client.end(true);
      return;
    }
    const ends = endSession && this.#version === 5;
    await this.#client.endAsync(false, ends ? { properties: { sessionExpiryInterval: 0 } } : {});
    if (endSession && this.#version === 4) await this.#forgetSession();
  }

  /** MQTT 3.1.1 ends a session by a clean one under the same client id (3.1.2.4). */
  async #forgetSession(): Promise<void> {
    const { address, clientId } = this.#options;
    const { url, ...tls } = address;
    const client = await mqtt.connectAsync(url, {
      ...tls,
      clientId,
      protocolVersion: 4,
      clean: true,
      reconnectPeriod: 0,
    });
    await client.endAsync();
  }

  #take(packet: IPublishPacket, done: (error?: Error) => void): void {
    const { topic, qos, messageId, retain } = packet;
    const payload =
      typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    const receivedAt = this.#options.clock();
    this.#lastArrival = receivedAt;
    this.#unsettled += 1;
    const settle = () => {
      this.#unsettled -= 1;
      if (qos === 1 && messageId !== undefined) this.#acknowledge(messageId);
    };
    this.#options.onMessage({ topic, payload, receivedAt, publisher: null }, settle, retain);
    // The client goes on to the next packet; called with an error, it sends no PUBACK of its own.
    const next = () => done(qos === 0 ? undefined : DEFERRED);
    const room = this.#options.backpressure();
    if (room) void room.then(next);
    else next();
  }

  #acknowledge(messageId: number): void {
    this.#acks.push(messageId);
    // All of a batch go out in one write.
    if (this.#acks.length === 1) queueMicrotask(() => this.#sendAcks());
  }

  #sendAcks(): void {
    const ids = this.#acks;
    this.#acks = [];
    // Ids are of this connection: after it, the broker sends again what it got no PUBACK for.
    if (ids.length === 0 || !this.#client.connected) return;
    const packets = Buffer.allocUnsafe(ids.length * PUBACK_BYTES);
    ids.forEach((id, n) => {
      packets.writeUInt16BE(PUBACK_HEADER, n * PUBACK_BYTES);
      packets.writeUInt16BE(id, n * PUBACK_BYTES + 2);
    });
    this.#client.stream.write(packets);
  }
}

const DEFERRED = new Error('acknowledged later');
/** PUBACK (MQTT 3.1.1 and 5, section 3.4): type 4, two bytes follow: the packet id; success. */
const PUBACK_HEADER = 0x4002;
const PUBACK_BYTES = 4;
