/**
 * One connection to an MQTT broker under one client id. What arrives is handed on at once, so that
 * batches can form, and acknowledged to the broker when the caller says so.
 */
import { type Duplex } from 'node:stream';
import { type IConnackPacket, type Packet } from 'mqtt-packet';
import { type BrokerHost, type BrokerUrl } from '../../contract/index.js';
import { type OutgoingMessage } from '../c2d-sender/index.js';
import { type Arrival } from '../d2c-receiver/index.js';
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
import { openTransport, type TlsFiles } from './transport.js';

/** Where the broker is and who we are to it. */
export interface BrokerAddress {
  readonly url: BrokerUrl;
  readonly tls: TlsFiles;
}

export interface ConnectionOptions {
  readonly clientId: string;
  /** Whether the broker forgets the session with the connection. */
  readonly clean: boolean;
  /** How long it keeps the session otherwise, seconds (MQTT 5). */
  readonly sessionExpirySeconds: number;
  /** ms */
  readonly clock: () => number;
  /** Messages of the session; settling one acknowledges it to the broker. */
  readonly onMessage: (message: Arrival, retained: boolean) => void;
  /** Resolves when more messages may be taken; undefined: at once. */
  readonly backpressure: () => Promise<void> | undefined;
  /** The connection was there and is gone; not after {@link BrokerConnection.disconnect}. */
  readonly onClosed: (why: Error) => void;
}

/** How often a sign of life is asked for, and how long CONNACK may take, ms. */
export interface Patience {
  readonly pingMs: number;
  readonly connectMs: number;
}

/** The broker has refused the connection. `code` is CONNACK's. */
export class ConnectionRefused extends Error {
  override readonly name = 'ConnectionRefused';
  readonly code: number;
  constructor(code: number) {
    super(`the broker refuses the connection, code ${code}${CODES[code] ?? ''}`);
    this.code = code;
  }
}

/** The connection ended before CONNACK. */
export class ClosedBeforeConnack extends Error {
  override readonly name = 'ClosedBeforeConnack';
}

/** The codes that a wrong set-up gives (MQTT 3.1.1, 3.2.2.3; MQTT 5, 3.2.2.2). */
const CODES: Record<number, string> = {
  1: ' (protocol version)',
  2: ' (client id)',
  4: ' (user or password)',
  5: ' (not authorised)',
  132: ' (protocol version)',
  133: ' (client id)',
  134: ' (user or password)',
  135: ' (not authorised)',
  142: ' (another client has connected under the same client id)',
};
const REFUSED = 0x80;

/**
 * Messages that the broker may have under way to us (MQTT 5, 3.1.2.11.3). What is under way is in
 * our memory too, so it outlives a crash of the broker: as many as the receiver takes.
 */
const RECEIVE_MAXIMUM = 32_768;
/** Messages that we have under way to the broker, where it allows so many. */
const SEND_MAXIMUM = 1_000;
const MAX_PACKET_ID = 65_535;
const END_MS = 2_000;

type Done = (error?: Error) => void;

export class BrokerConnection implements Acknowledging {
  readonly #options: ConnectionOptions;
  readonly #version: MqttVersion;
  readonly #stream: Duplex;
  #connack: IConnackPacket | undefined;
  #isOpen = true;
  #isEnding = false;
  /** Why the broker, or we, end the connection. */
  #why: Error | undefined;
  #pinging: NodeJS.Timeout | undefined;
  #hasHeard = true;
  #now = 0;
  readonly #acks = new PubackOrder();
  #isAcknowledging = false;
  #withholds: boolean;
  #packetId = 0;
  /** What waits for the broker's answer, by packet id. */
  readonly #underWay = new Map<number, Done>();
  #sendMaximum = SEND_MAXIMUM;
  #queue: { message: OutgoingMessage; done: Done }[] = [];
  #subscribed: ((refused: boolean) => void) | undefined;

  /**
   * @param withholds keep acknowledgements back until {@link release}
   * @throws ConnectionRefused; ClosedBeforeConnack; Error where the broker cannot be reached
   */
  static async connect(
    address: BrokerAddress,
    host: BrokerHost,
    version: MqttVersion,
    patience: Patience,
    withholds: boolean,
    options: ConnectionOptions,
  ): Promise<BrokerConnection> {
    const stream = openTransport(address.url, host, address.tls);
    const connection = new BrokerConnection(stream, version, withholds, options);
    await connection.#handshake(address.url, patience);
    return connection;
  }

  private constructor(
    stream: Duplex,
    version: MqttVersion,
    withholds: boolean,
    options: ConnectionOptions,
  ) {
    this.#stream = stream;
    this.#version = version;
    this.#withholds = withholds;
    this.#options = options;
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

  /** @throws Error where the broker refuses, or the connection breaks */
  subscribe(filter: string, qos: 0 | 1): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.#isOpen) {
        reject(this.#broken());
        return;
      }
      const packetId = this.#nextPacketId();
      // A connection that breaks answers as well.
      this.#underWay.set(packetId, (error) => reject(error ?? this.#broken()));
      this.#subscribed = (refused) => {
        this.#underWay.delete(packetId);
        if (refused) reject(new Error(`the broker refuses the subscription to ${filter}`));
        else resolve();
      };
      this.#stream.write(subscribePacket(this.#version, packetId, filter, qos));
    });
  }

  /** Calls `done` when the broker has taken the message (QoS 1), or will not. */
  publish(message: OutgoingMessage, done: Done): void {
    if (!this.isOpen || this.#isEnding) {
      done(this.#broken());
    } else if (this.#underWay.size >= this.#sendMaximum) {
      this.#queue.push({ message, done });
    } else {
      this.#send(message, done);
    }
  }

  /** Sends the acknowledgements that were withheld, and from now on each at once. */
  release(): void {
    this.#withholds = false;
    this.#sendAcks();
  }

  /** Takes no more messages; those that were taken can still be settled. */
  pause(): void {
    this.#isEnding = true;
    this.#stream.pause();
  }

  /** Ends it in order: the broker keeps a session that is not clean. */
  async disconnect(): Promise<void> {
    this.#isEnding = true;
    if (!this.#isOpen) return;
    this.#sendAcks();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#stream.destroy(), END_MS);
      this.#stream.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      // What arrives now is not taken, but it must not stand before the end of the stream.
      this.#stream.removeAllListeners('data').resume();
      this.#stream.end(DISCONNECT);
    });
  }

  /** Ends it at once. */
  destroy(why: Error): void {
    this.#why ??= why;
    this.#stream.destroy();
  }

  async #handshake(url: BrokerUrl, { pingMs, connectMs }: Patience): Promise<void> {
    const { clientId, clean, sessionExpirySeconds } = this.#options;
    const stream = this.#stream;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => this.destroy(new Error(`the broker did not answer in ${connectMs / 1000} s`)),
        connectMs,
      );
      const reader = new PacketReader(this.#version, {
        onPublish: this.#take.bind(this),
        onPuback: (packetId, reason) => this.#published(packetId, reason),
        onOther: (packet) => {
          if (packet.cmd === 'connack') {
            clearTimeout(timer);
            this.#connected(packet, pingMs, resolve);
          } else this.#other(packet);
        },
      });
      stream.on('data', (chunk: Buffer) => this.#read(reader, chunk));
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
    this.#sendMaximum = Math.min(SEND_MAXIMUM, packet.properties?.receiveMaximum ?? SEND_MAXIMUM);
    // Nobody is in a session that the broker has just made.
    if (!this.sessionPresent) this.#withholds = false;
    const serverKeepalive = packet.properties?.serverKeepAlive ?? Infinity;
    this.#pinging = setInterval(() => this.#ping(), Math.min(pingMs, serverKeepalive * 500));
    resolve();
  }

  #ping(): void {
    // After a long wait for the event loop, what has arrived meanwhile is read first.
    setImmediate(() => {
      if (!this.#isOpen) return;
      if (!this.#hasHeard && !this.#stream.isPaused()) {
        this.destroy(new Error('the broker is silent'));
        return;
      }
      this.#hasHeard = false;
      this.#stream.write(PINGREQ);
    });
  }

  #read(reader: PacketReader, chunk: Buffer): void {
    this.#hasHeard = true;
    this.#now = this.#options.clock();
    try {
      reader.take(chunk);
    } catch (error) {
      this.destroy(error as Error);
      return;
    }
    const room = this.#options.backpressure();
    if (!room) return;
    this.#stream.pause();
    void room.then(() => {
      if (!this.#isEnding) this.#stream.resume();
    });
  }

  #take(
    bytes: Buffer,
    topicStart: number,
    topicEnd: number,
    payloadStart: number,
    end: number,
    packetId: number,
    retained: boolean,
  ): void {
    if (packetId !== NO_PUBACK) this.#acks.arrived(packetId);
    this.#options.onMessage(
      new PublishedMessage(
        this,
        this.#now,
        bytes,
        topicStart,
        topicEnd,
        payloadStart,
        end,
        packetId,
      ),
      retained,
    );
  }

  /** The message with this packet id is settled: its PUBACK goes out when those before it have. */
  acknowledge(packetId: number): void {
    const isDue = this.#acks.settled(packetId);
    if (!isDue || this.#withholds || this.#isAcknowledging) return;
    // All of a batch go out in one write.
    this.#isAcknowledging = true;
    queueMicrotask(() => this.#sendAcks());
  }

  #sendAcks(): void {
    this.#isAcknowledging = false;
    if (this.#withholds) return;
    const ids = this.#acks.take();
    // Ids are of this connection: after it, the broker sends again what it got no PUBACK for.
    if (ids.length > 0 && this.#isOpen) this.#stream.write(pubacks(ids));
  }

  #send(message: OutgoingMessage, done: Done): void {
    const { topic, payload, expirySeconds } = message;
    const packetId = this.#nextPacketId();
    this.#underWay.set(packetId, done);
    this.#stream.write(publishPacket(this.#version, packetId, topic, payload, expirySeconds));
  }

  #published(packetId: number, reason: number): void {
    const done = this.#underWay.get(packetId);
    if (!done) return;
    this.#underWay.delete(packetId);
    done(reason < REFUSED ? undefined : new Error(`the broker refuses a message, code ${reason}`));
    const next = this.#queue.length > 0 ? this.#queue.shift() : undefined;
    if (next) this.#send(next.message, next.done);
  }

  #other(packet: Packet): void {
    if (packet.cmd === 'suback') {
      const [granted = REFUSED] = packet.granted as number[];
      this.#subscribed?.(granted >= REFUSED);
    } else if (packet.cmd === 'disconnect') {
      const { reasonCode = 0 } = packet;
      this.#why ??= new Error(
        `the broker ends the connection, code ${reasonCode}${CODES[reasonCode] ?? ''}`,
      );
    }
  }

  #nextPacketId(): number {
    do this.#packetId = (this.#packetId % MAX_PACKET_ID) + 1;
    while (this.#underWay.has(this.#packetId));
    return this.#packetId;
  }

  #close(): void {
    this.#isOpen = false;
    clearInterval(this.#pinging);
    const waiting = [...this.#underWay.values(), ...this.#queue.map(({ done }) => done)];
    this.#underWay.clear();
    this.#queue = [];
    for (const done of waiting) done(this.#broken());
  }

  #broken(): Error {
    return new Error(`the connection to the broker broke: ${this.#why?.message ?? 'it was ended'}`);
  }
}
