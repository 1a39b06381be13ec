/**
 * One connection to an MQTT broker under one client id. Messages are handed on as they arrive, so that batches can form,
 * and acknowledged to the broker when the caller says so.
 */
import { Socket } from 'node:net';
import { type Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { type IConnackPacket, type Packet } from 'mqtt-packet';
import { type BrokerHost, type BrokerUrl } from '../../contract/index.js';
import { type OutgoingMessage } from '../c2d-sender/index.js';
import {
  type BrokerAddress,
  ClosedBeforeConnack,
  ConnectionRefused,
  type ConnectionOptions,
  type Patience,
  reasonCode,
} from './connection-options.js';
import { type Done, FAILURE, OutgoingPublishes } from './outgoing-publishes.js';
import {
  connectPacket,
  DISCONNECT,
  type MqttVersion,
  PacketReader,
  PINGREQ,
  pubacks,
  publishPacket,
  subscribePacket,
} from './packets.js';
import { PubackOrder } from './puback-order.js';
import { type Acknowledging, NO_PUBACK, PublishedMessage } from './published-message.js';
import { type Reading } from './reading-memory.js';
import { openTransport } from './transport.js';

/**
 * Messages that the broker may have in flight to us (MQTT 5, 3.1.2.11.3): as many as the receiver holds. With more, it would
 * stop and resume reading at full load, which costs some percent.
 */
const RECEIVE_MAXIMUM = 32_768;
/**
 * After reading so much, the answers of the database get their turn: libuv goes on reading up to 32 times while there is more,
 * and the database would wait for the next batch meanwhile.
 */
const TURN_BYTES = 256 * 1024;
/** How long the broker may take to close the connection after DISCONNECT, ms. */
const DISCONNECT_MS = 2_000;
/** Stands for the packet id, which a message at QoS 0 does not have. */
const AT_QOS_0 = 0;

export class BrokerConnection implements Acknowledging {
  readonly #options: ConnectionOptions;
  readonly #version: MqttVersion;
  readonly #stream: Duplex;
  readonly #reader: PacketReader;
  /** What is being read. */
  #reading: Reading | undefined;
  /** Read since the rest of the process had its turn. */
  #turnBytes = 0;
  /** Whether what still arrives is of no use. */
  #discards = false;
  #onConnack: ((packet: IConnackPacket) => void) | undefined;
  #connack: IConnackPacket | undefined;
  #isOpen = true;
  #isEnding = false;
  /** Why the broker, or we, closed the connection. */
  #why: Error | undefined;
  #pinging: NodeJS.Timeout | undefined;
  /** Whether anything has arrived since the last ping. */
  #isAlive = true;
  /** Receipt of the bytes being read, ms. */
  #now = 0;
  readonly #acks = new PubackOrder();
  #isAcknowledging = false;
  #onRoom: () => void = () => undefined;
  #withholds: boolean;
  readonly #outgoing = new OutgoingPublishes((packetId, { topic, payload, expirySeconds }) =>
    this.#stream.write(publishPacket(this.#version, packetId, topic, payload, expirySeconds)),
  );
  #subscribed: ((refused: boolean) => void) | undefined;

  /**
   * @param withholds withhold acknowledgements until {@link release}
   * @throws ConnectionRefused; ClosedBeforeConnack; the reason of `options.abandon`; Error where the broker is unreachable
   */
  static async connect(
    address: BrokerAddress,
    host: BrokerHost,
    version: MqttVersion,
    patience: Patience,
    withholds: boolean,
    options: ConnectionOptions,
  ): Promise<BrokerConnection> {
    const { abandon } = options;
    abandon?.throwIfAborted();
    const connection = new BrokerConnection(address, host, version, withholds, options);
    const onAbandoned = () => connection.#reset(abandon?.reason as Error);
    abandon?.addEventListener('abort', onAbandoned);
    try {
      await connection.#handshake(address.url, patience);
    } finally {
      abandon?.removeEventListener('abort', onAbandoned);
    }
    return connection;
  }

  private constructor(
    address: BrokerAddress,
    host: BrokerHost,
    version: MqttVersion,
    withholds: boolean,
    options: ConnectionOptions,
  ) {
    this.#version = version;
    this.#withholds = withholds;
    this.#options = options;
    this.#reader = new PacketReader(version, {
      onPublish: this.#take.bind(this),
      onPuback: (packetId, reason) => this.#outgoing.acknowledged(packetId, reason),
      onOther: (packet) => this.#other(packet),
    });
    this.#stream = openTransport(address.url, host, address.tls, (reading) => this.#read(reading));
  }

  get version(): MqttVersion {
    return this.#version;
  }

  get isOpen(): boolean {
    return this.#isOpen && this.#connack !== undefined;
  }

  /** Whether the broker still had the session (MQTT 5, 3.2.2.1.1). */
  get sessionPresent(): boolean {
    return this.#connack?.sessionPresent ?? false;
  }

  get canShare(): boolean {
    return this.#version === 5 && this.#connack?.properties?.sharedSubscriptionAvailable !== false;
  }

  /** @throws Error where the broker refuses it, or the connection breaks */
  subscribe(filter: string, qos: 0 | 1): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.#isOpen) {
        reject(this.#broken());
        return;
      }
      const packetId = this.#outgoing.reserve((error) => reject(error ?? this.#broken()));
      this.#subscribed = (refused) => {
        this.#outgoing.release(packetId);
        if (refused) reject(new Error(`the broker refuses the subscription to ${filter}`));
        else resolve();
      };
      this.#stream.write(subscribePacket(this.#version, packetId, filter, qos));
    });
  }

  /** Calls `done` when the broker has accepted the message (QoS 1), or will not. */
  publish(message: OutgoingMessage, done: Done): void {
    if (!this.isOpen || this.#isEnding) done(this.#broken());
    else this.#outgoing.publish(message, done);
  }

  /** Sends the withheld acknowledgements, and from now on each one immediately. */
  release(): void {
    this.#withholds = false;
    this.#sendAcks();
  }

  /** Reads no more messages; those already read can still be acknowledged. */
  pause(): void {
    this.#isEnding = true;
    this.#stream.pause();
  }

  /** Disconnects cleanly; the broker keeps a session that is not clean. */
  async disconnect(): Promise<void> {
    this.#isEnding = true;
    if (!this.#isOpen) return;
    this.#sendAcks();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#stream.destroy(), DISCONNECT_MS);
      this.#stream.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      // Discard what still arrives: unread data would delay the end of the stream.
      this.#discards = true;
      this.#stream.resume();
      this.#stream.end(DISCONNECT);
    });
  }

  /** Disconnects immediately. */
  destroy(why: Error): void {
    this.#why ??= why;
    this.#stream.destroy();
  }

  /** Disconnects immediately; of what was sent, the kernel repeats nothing. */
  #reset(why: Error): void {
    const stream = this.#stream;
    this.#why ??= why;
    const isTcp = stream instanceof Socket && !(stream instanceof TLSSocket) && !stream.connecting;
    if (isTcp) stream.resetAndDestroy();
    else stream.destroy();
  }

  async #handshake(url: BrokerUrl, { pingMs, connectMs }: Patience): Promise<void> {
    const { clientId, clean, sessionExpirySeconds } = this.#options;
    const stream = this.#stream;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => this.destroy(new Error(`the broker did not answer within ${connectMs / 1000} s`)),
        connectMs,
      );
      this.#onConnack = (packet) => {
        clearTimeout(timer);
        this.#connected(packet, pingMs, resolve);
      };
      stream.on('error', (error) => (this.#why ??= error));
      stream.on('close', () => {
        clearTimeout(timer);
        const hadConnack = this.#connack !== undefined;
        this.#close();
        const why = this.#why ?? new ClosedBeforeConnack('the broker closed the connection');
        reject(why);
        if (hadConnack && !this.#isEnding) this.#options.onClosed(why);
      });
      stream.write(
        connectPacket({
          version: this.#version,
          clientId,
          clean,
          sessionExpirySeconds,
          username: url.username,
          password: url.password,
          keepaliveSeconds: Math.ceil((2 * pingMs) / 1000),
          receiveMaximum: RECEIVE_MAXIMUM,
        }),
      );
    });
  }

  #connected(packet: IConnackPacket, pingMs: number, resolve: () => void): void {
    const code = packet.reasonCode ?? packet.returnCode ?? 0;
    if (code !== 0) {
      this.destroy(new ConnectionRefused(code));
      return;
    }
    this.#connack = packet;
    this.#outgoing.limit(packet.properties?.receiveMaximum);
    // No one else can be using a session that the broker has just created.
    if (!this.sessionPresent) this.#withholds = false;
    const serverKeepalive = packet.properties?.serverKeepAlive ?? Infinity;
    this.#pinging = setInterval(() => this.#ping(), Math.min(pingMs, serverKeepalive * 500));
    resolve();
  }

  #ping(): void {
    // After a blocked event loop, first read the data that has arrived.
    setImmediate(() => {
      if (!this.#isOpen) return;
      if (!this.#isAlive && !this.#stream.isPaused()) {
        this.destroy(new Error('the broker is silent'));
        return;
      }
      this.#isAlive = false;
      this.#stream.write(PINGREQ);
    });
  }

  #read(reading: Reading): void {
    this.#isAlive = true;
    if (this.#discards) {
      reading.release();
      return;
    }
    this.#now = this.#options.clock();
    this.#reading = reading;
    try {
      this.#reader.take(reading.bytes);
    } catch (error) {
      this.destroy(error as Error);
      return;
    } finally {
      reading.release();
    }
    this.#pauseUntil(
      this.#options.backpressure() ?? this.#room() ?? this.#turn(reading.bytes.length),
    );
  }

  #pauseUntil(due: Promise<void> | undefined): void {
    if (!due) return;
    this.#stream.pause();
    void due.then(() => {
      // Nothing was read meanwhile, so the broker is not silent.
      this.#isAlive = true;
      if (!this.#isEnding) this.#stream.resume();
    });
  }

  /**
   * Resolves when there is room for further messages without PUBACK; undefined: there is. The broker may have more in flight
   * than we allow: MQTT 3.1.1 has no Receive Maximum, and Mosquitto sends what it once had in flight whatever we state.
   */
  #room(): Promise<void> | undefined {
    return this.#isAhead ? new Promise((resolve) => (this.#onRoom = resolve)) : undefined;
  }

  get #isAhead(): boolean {
    return this.#acks.count > RECEIVE_MAXIMUM;
  }

  /** Resolves when the rest of the process has had its turn; undefined: there is no need yet. */
  #turn(bytes: number): Promise<void> | undefined {
    this.#turnBytes += bytes;
    if (this.#turnBytes < TURN_BYTES) return undefined;
    this.#turnBytes = 0;
    return nextTurn();
  }

  #take(
    bytes: Buffer,
    topicStart: number,
    topicEnd: number,
    payloadStart: number,
    end: number,
    packetId: number,
    retained: boolean,
    repeated: boolean,
  ): void {
    const place = packetId === AT_QOS_0 ? NO_PUBACK : this.#acks.add(packetId);
    if (!this.#reading) return;
    this.#options.onMessage(
      new PublishedMessage(
        this,
        this.#reading,
        this.#now,
        bytes,
        topicStart,
        topicEnd,
        payloadStart,
        end,
        place,
        repeated,
      ),
      retained,
    );
  }

  /** Sends the PUBACK for a message as soon as those of all earlier messages have been sent. */
  acknowledge(place: number): void {
    const isDue = this.#acks.acknowledge(place);
    if (!isDue || this.#withholds || this.#isAcknowledging) return;
    // Those of a whole batch go out in one write.
    this.#isAcknowledging = true;
    queueMicrotask(() => this.#sendAcks());
  }

  #sendAcks(): void {
    this.#isAcknowledging = false;
    if (this.#withholds) return;
    const ids = this.#acks.take();
    // Packet ids end with the connection: on the next one the broker repeats what got no PUBACK.
    if (ids.length > 0 && this.#isOpen) this.#stream.write(pubacks(ids));
    if (!this.#isAhead) this.#onRoom();
  }

  #other(packet: Packet): void {
    if (packet.cmd === 'connack') this.#onConnack?.(packet);
    else if (packet.cmd === 'suback') {
      const [granted = FAILURE] = packet.granted as number[];
      this.#subscribed?.(granted >= FAILURE);
    } else if (packet.cmd === 'disconnect') {
      const { reasonCode: code = 0 } = packet;
      this.#why ??= new Error(`the broker closed the connection, ${reasonCode(code)}`);
    }
  }

  #close(): void {
    this.#isOpen = false;
    clearInterval(this.#pinging);
    this.#outgoing.fail(() => this.#broken());
  }

  #broken(): Error {
    return new Error(`disconnected from the broker: ${this.#why?.message ?? 'by this adapter'}`);
  }
}
