/**
 * MQTT packets as bytes (MQTT 3.1.1 and 5, section 3). PUBLISH and PUBACK, which every message needs, are read and
 * written here without creating an object each; all other packets are left to mqtt-packet. Pure.
 */
import { generate, type Packet, parser } from 'mqtt-packet';

/** 4 is MQTT 3.1.1. */
export type MqttVersion = 4 | 5;

export interface PacketHandlers {
  /**
   * The topic and the payload are parts of `bytes`, given by their offsets.
   *
   * @param packetId 0 at QoS 0
   * @param repeated the sender may have sent it before (DUP; MQTT 3.1.1, 3.3.1.1)
   */
  onPublish(
    bytes: Buffer,
    topicStart: number,
    topicEnd: number,
    payloadStart: number,
    end: number,
    packetId: number,
    retained: boolean,
    repeated: boolean,
  ): void;
  /** @param reason 0 in MQTT 3.1.1, which has none */
  onPuback(packetId: number, reason: number): void;
  onOther(packet: Packet): void;
}

/** The broker sent bytes that are not MQTT. */
class MalformedPacket extends Error {
  override readonly name = 'MalformedPacket';
}

const TYPE_CONNACK = 2;
const TYPE_PUBLISH = 3;
const TYPE_PUBACK = 4;
/** A packet's length takes up to four bytes of seven bits each (section 2.2.3; MQTT 5: 1.5.5). */
const LONGEST_LENGTH = 4;

/** Splits a broker's byte stream into packets. */
export class PacketReader {
  readonly #version: MqttVersion;
  readonly #handlers: PacketHandlers;
  /** Chunks of an incomplete packet. */
  #parts: Buffer[] = [];
  #partBytes = 0;
  /** Length of the packet in `#parts`; 0 while its length is incomplete too. */
  #needed = 0;

  constructor(version: MqttVersion, handlers: PacketHandlers) {
    this.#version = version;
    this.#handlers = handlers;
  }

  /** @param chunk reused by the caller afterwards @throws MalformedPacket */
  take(chunk: Buffer): void {
    if (this.#parts.length === 0) {
      this.#read(chunk, 0);
      return;
    }
    // Only the split packet is copied, not the complete ones after it.
    const missing = this.#needed === 0 ? chunk.length : this.#needed - this.#partBytes;
    const rest = Math.min(missing, chunk.length);
    const part = chunk.subarray(0, rest);
    this.#partBytes += rest;
    if (rest < missing) {
      this.#parts.push(Buffer.from(part));
      return;
    }
    const bytes = Buffer.concat([...this.#parts, part]);
    this.#parts = [];
    this.#read(bytes, 0);
    this.#read(chunk, rest);
  }

  #read(bytes: Buffer, start: number): void {
    let at = start;
    while (at < bytes.length) {
      let length = 0;
      let body = at + 1;
      let isRead = false;
      for (let shift = 0; !isRead && body < bytes.length; shift += 7) {
        const byte = bytes[body++] ?? 0;
        length |= (byte & 0x7f) << shift;
        isRead = byte < 0x80;
        if (!isRead && body - at > LONGEST_LENGTH) throw new MalformedPacket('length of a packet');
      }
      const end = body + length;
      if (!isRead || end > bytes.length) {
        this.#parts = [Buffer.from(bytes.subarray(at))];
        this.#partBytes = bytes.length - at;
        this.#needed = isRead ? end - at : 0;
        return;
      }
      this.#packet(bytes, at, body, end);
      at = end;
    }
  }

  #packet(bytes: Buffer, start: number, body: number, end: number): void {
    const header = bytes[start] ?? 0;
    switch (header >> 4) {
      case TYPE_PUBLISH:
        this.#publish(header, bytes, body, end);
        return;
      case TYPE_PUBACK:
        if (end - body < 2) throw new MalformedPacket('PUBACK');
        this.#handlers.onPuback(
          bytes.readUInt16BE(body),
          end - body > 2 ? (bytes[body + 2] ?? 0) : 0,
        );
        return;
      default:
        this.#handlers.onOther(this.#other(header, bytes.subarray(start, end), end - body));
    }
  }

  #publish(header: number, bytes: Buffer, body: number, end: number): void {
    if (end - body < 2) throw new MalformedPacket('PUBLISH');
    const qos = (header >> 1) & 3;
    let at = body + 2 + bytes.readUInt16BE(body);
    const topicEnd = at;
    let packetId = 0;
    if (qos > 0) {
      if (at + 2 > end) throw new MalformedPacket('PUBLISH');
      packetId = bytes.readUInt16BE(at);
      if (packetId === 0) throw new MalformedPacket('packet id of a PUBLISH');
      at += 2;
    }
    if (this.#version === 5) at = afterProperties(bytes, at, end);
    if (at > end) throw new MalformedPacket('PUBLISH');
    const retained = (header & 1) === 1;
    const repeated = (header & 8) === 8;
    this.#handlers.onPublish(bytes, body + 2, topicEnd, at, end, packetId, retained, repeated);
  }

  #other(header: number, bytes: Buffer, length: number): Packet {
    // A broker that does not support MQTT 5 refuses it with a CONNACK of MQTT 3.1.1.
    const isOld = header >> 4 === TYPE_CONNACK && length === 2;
    let read: Packet | undefined;
    let failure: Error | undefined;
    const packets = parser({ protocolVersion: isOld ? 4 : this.#version });
    packets.on('packet', (packet: Packet) => (read = packet));
    packets.on('error', (error: Error) => (failure = error));
    packets.parse(bytes);
    if (!read) throw new MalformedPacket(failure?.message ?? 'incomplete packet');
    return read;
  }
}

/** Skips the properties of a PUBLISH, which we do not use. */
function afterProperties(bytes: Buffer, start: number, end: number): number {
  let length = 0;
  let at = start;
  for (let shift = 0; at < end; shift += 7) {
    const byte = bytes[at++] ?? 0;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) return at + length;
    if (shift > 21) break;
  }
  throw new MalformedPacket('properties of a PUBLISH');
}

const PUBACK_BYTES = 4;

/** PUBACKs of success, in one buffer. */
export function pubacks(packetIds: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(packetIds.length * PUBACK_BYTES);
  let at = 0;
  for (const packetId of packetIds) {
    bytes[at] = TYPE_PUBACK << 4;
    bytes[at + 1] = 2;
    bytes.writeUInt16BE(packetId, at + 2);
    at += PUBACK_BYTES;
  }
  return bytes;
}

/** Flags of a PUBLISH at QoS 1. */
const QOS_1 = 1 << 1;
/** Property of a PUBLISH, four bytes in seconds (MQTT 5, 3.3.2.3.3). */
const MESSAGE_EXPIRY = 2;

/** @param expirySeconds how long the broker may keep the message (MQTT 5) */
export function publishPacket(
  version: MqttVersion,
  packetId: number,
  topic: string,
  payload: Uint8Array,
  expirySeconds: number | undefined,
): Buffer {
  const topicBytes = Buffer.byteLength(topic);
  const expires = version === 5 && expirySeconds !== undefined;
  const propertyBytes = version === 4 ? 0 : expires ? 6 : 1;
  const remaining = 2 + topicBytes + 2 + propertyBytes + payload.length;
  const bytes = Buffer.allocUnsafe(1 + LONGEST_LENGTH + remaining);
  let at = bytes.writeUInt8((TYPE_PUBLISH << 4) | QOS_1, 0);
  let rest = remaining;
  do {
    const bits = rest & 0x7f;
    rest >>= 7;
    at = bytes.writeUInt8(rest > 0 ? bits | 0x80 : bits, at);
  } while (rest > 0);
  at = bytes.writeUInt16BE(topicBytes, at);
  at += bytes.write(topic, at);
  at = bytes.writeUInt16BE(packetId, at);
  if (version === 5) at = bytes.writeUInt8(propertyBytes - 1, at);
  if (expires) {
    at = bytes.writeUInt8(MESSAGE_EXPIRY, at);
    at = bytes.writeUInt32BE(expirySeconds, at);
  }
  bytes.set(payload, at);
  return bytes.subarray(0, at + payload.length);
}

export interface ConnectOptions {
  readonly version: MqttVersion;
  readonly clientId: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Whether the broker drops the session when the connection ends. */
  readonly clean: boolean;
  readonly keepaliveSeconds: number;
  /** How long the broker keeps the session after the connection, seconds (MQTT 5). */
  readonly sessionExpirySeconds: number;
  /** Messages that the broker may have in flight to us (MQTT 5). */
  readonly receiveMaximum: number;
}

export function connectPacket(options: ConnectOptions): Buffer {
  const { version, username, password } = options;
  return generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: version,
    clientId: options.clientId,
    clean: options.clean,
    keepalive: options.keepaliveSeconds,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: Buffer.from(password) }),
    ...(version === 5
      ? {
          properties: {
            sessionExpiryInterval: options.sessionExpirySeconds,
            receiveMaximum: options.receiveMaximum,
          },
        }
      : {}),
  });
}

/** Retain handling: this subscription sends no retained messages (MQTT 5, 3.8.3.1). */
const NO_RETAINED = 2;

export function subscribePacket(
  version: MqttVersion,
  packetId: number,
  topic: string,
  qos: 0 | 1,
): Buffer {
  const options = version === 5 && !topic.startsWith('$share/') ? { rh: NO_RETAINED } : {};
  return generate(
    { cmd: 'subscribe', messageId: packetId, subscriptions: [{ topic, qos, ...options }] },
    { protocolVersion: version },
  );
}

export const PINGREQ = Buffer.from([0xc0, 0]);
/** The broker keeps the session for the time requested in CONNECT. */
export const DISCONNECT = Buffer.from([0xe0, 0]);
