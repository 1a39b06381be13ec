/**
 * A minimal MQTT 3.1.1 client, so that a load costs less than the system it measures: it publishes at QoS 1 within a window,
 * and counts.
 */
import { connect, type Socket } from 'node:net';
import { generate, parser, type Packet } from 'mqtt-packet';

export interface RawClientOptions {
  readonly port: number;
  readonly clientId: string;
  readonly password?: string;
  /** Topic filter to subscribe to at QoS 0. */
  readonly subscribe?: string;
  /** A message was acknowledged. */
  readonly onPuback?: (client: RawClient) => void;
  /** A message has arrived. */
  readonly onMessage?: () => void;
}

/** PUBLISH at QoS 1 (MQTT 3.1.1, 3.3.1). */
const PUBLISH_QOS_1 = 0x32;
const MAX_PACKET_ID = 65_535;

export class RawClient {
  readonly #socket: Socket;
  #packetId = 0;
  #closed = false;

  /** Resolves when connected and, if requested, subscribed. */
  static async connect(options: RawClientOptions): Promise<RawClient> {
    const socket = connect(options.port, '127.0.0.1');
    socket.setNoDelay(true);
    const client = new RawClient(socket);
    await new Promise<void>((resolve, reject) => {
      const packets = parser();
      packets.on('packet', (packet: Packet) => {
        switch (packet.cmd) {
          case 'connack':
            if (packet.returnCode !== 0) reject(new Error(`CONNACK ${packet.returnCode}`));
            else if (options.subscribe === undefined) resolve();
            else socket.write(subscribePacket(options.subscribe));
            break;
          case 'suback':
            resolve();
            break;
          case 'puback':
            options.onPuback?.(client);
            break;
          case 'publish':
            options.onMessage?.();
            break;
          default:
        }
      });
      socket.on('data', (chunk) => {
        // Messages released by the acknowledgements in a chunk are sent in one write.
        socket.cork();
        packets.parse(chunk);
        socket.uncork();
      });
      socket.on('error', reject);
      socket.on('close', () => {
        if (!client.#closed) reject(new Error('the broker closed the connection'));
      });
      socket.write(connectPacket(options));
    });
    return client;
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  publish(topic: string, payload: string): void {
    this.#packetId = (this.#packetId % MAX_PACKET_ID) + 1;
    const topicBytes = Buffer.byteLength(topic);
    const payloadBytes = Buffer.byteLength(payload);
    const remaining = 2 + topicBytes + 2 + payloadBytes;
    const packet = Buffer.allocUnsafe(remaining + 5);
    let at = packet.writeUInt8(PUBLISH_QOS_1, 0);
    // Remaining length: seven bits a byte, the lowest first (2.2.3).
    for (let rest = remaining; ;) {
      const bits = rest & 0x7f;
      rest >>= 7;
      at = packet.writeUInt8(rest > 0 ? bits | 0x80 : bits, at);
      if (rest === 0) break;
    }
    at = packet.writeUInt16BE(topicBytes, at);
    at += packet.write(topic, at, 'latin1');
    at = packet.writeUInt16BE(this.#packetId, at);
    at += packet.write(payload, at, 'latin1');
    this.#socket.write(packet.subarray(0, at));
  }

  /** Messages published until {@link uncork} are sent in one write. */
  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }
}

const connectPacket = ({ clientId, password }: RawClientOptions) =>
  generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    clientId,
    keepalive: 0,
    ...(password === undefined ? {} : { username: clientId, password: Buffer.from(password) }),
  });

const subscribePacket = (topic: string) =>
  generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 0 }] });
