/** PUBACKs are sent in the order of their PUBLISHes, whichever messages are stored first [MQTT-4.6.0-2]. */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { generate, type Packet, parser } from 'mqtt-packet';
import { afterEach, describe, expect, test } from 'vitest';
import { BrokerDialler } from '../../src/adapter/message-link/broker-dialler.js';
import { PubackOrder } from '../../src/adapter/message-link/puback-order.js';
import { PublishedMessage } from '../../src/adapter/message-link/published-message.js';
import { Reading } from '../../src/adapter/message-link/reading-memory.js';
import { parseBrokerUrl } from '../../src/contract/index.js';

describe('the order of PUBACKs', () => {
  test('a message stored out of order waits for earlier ones', () => {
    const order = new PubackOrder();
    const [seven = 0, three = 0, nine = 0] = [7, 3, 9].map((id) => order.add(id));
    expect(order.acknowledge(three)).toBe(false);
    expect(order.take()).toEqual([]);
    expect(order.acknowledge(seven)).toBe(true);
    expect(order.take()).toEqual([7, 3]);
    expect(order.count).toBe(1);
    expect(order.acknowledge(nine)).toBe(true);
    expect(order.take()).toEqual([9]);
  });

  test('wraps around all packet ids, more than once', () => {
    const order = new PubackOrder();
    const taken: number[] = [];
    const sent = Array.from({ length: 400_000 }, (_, n) => (n % 65_535) + 1);
    for (let start = 0; start < sent.length; start += 1_000) {
      const places = sent.slice(start, start + 1_000).map((id) => order.add(id));
      for (const place of places.toReversed()) order.acknowledge(place);
      taken.push(...order.take());
    }
    expect(taken).toEqual(sent);
  });

  test('a packet id shared by several messages in flight is acknowledged at the place of each', () => {
    const order = new PubackOrder();
    const [first = 0, between = 0, second = 0] = [5, 6, 5].map((id) => order.add(id));
    order.acknowledge(second);
    expect(order.take()).toEqual([]);
    order.acknowledge(first);
    expect(order.take()).toEqual([5]);
    order.acknowledge(between);
    expect(order.take()).toEqual([6, 5]);
  });

  test('more messages in flight than places are an error', () => {
    const order = new PubackOrder();
    for (let n = 0; n < 131_072; n++) order.add(n % 65_536);
    expect(() => order.add(1)).toThrow('131072 messages without PUBACK');
  });
});

test('a message is acknowledged only once, as its place and memory may belong to another one later', () => {
  const places: number[] = [];
  let freed = 0;
  const bytes = Buffer.from('d2c/ax');
  const reading = new Reading(bytes, () => (freed += 1));
  const connection = { acknowledge: (place: number) => places.push(place) };
  const message = new PublishedMessage(connection, reading, 0, bytes, 0, 5, 5, 6, 7, false);
  message.acknowledge();
  message.acknowledge();
  expect({ places, freed }).toEqual({ places: [7], freed: 0 });
  reading.release();
  expect(freed).toBe(1);
});

describe('a connection to a broker', () => {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  /** A broker that sends these packet ids once its client is connected, and records the PUBACKs. */
  async function brokerThatSends(ids: readonly number[]) {
    const acknowledged: number[] = [];
    const server = createServer((socket: Socket) => {
      const packets = parser({ protocolVersion: 5 });
      packets.on('packet', (packet: Packet) => {
        if (packet.cmd === 'puback') acknowledged.push(packet.messageId ?? 0);
        if (packet.cmd !== 'connect') return;
        const connack = { cmd: 'connack', reasonCode: 0, sessionPresent: false } as const;
        socket.write(generate(connack, { protocolVersion: 5 }));
        for (const messageId of ids) {
          const publish = {
            cmd: 'publish',
            topic: 'd2c/a',
            payload: 'x',
            qos: 1,
            messageId,
          } as const;
          socket.write(generate({ ...publish, dup: false, retain: false }, { protocolVersion: 5 }));
        }
      });
      socket.on('data', (chunk) => packets.parse(chunk));
      socket.on('error', () => undefined);
      closing.push(() => socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    return { url: `mqtt://127.0.0.1:${port}`, acknowledged };
  }

  test('acknowledges in order of arrival when a later message is stored first', async () => {
    const ids = [11, 12, 13, 14, 15];
    const { url, acknowledged } = await brokerThatSends(ids);
    const acknowledges: (() => void)[] = [];
    const arrived = new Promise<void>((resolve) => {
      void new BrokerDialler({ url: parseBrokerUrl(url), tls: {} })
        .connect({
          clientId: 'order',
          clean: true,
          sessionExpirySeconds: 0,
          clock: Date.now,
          onMessage: (message) => {
            acknowledges.push(() => message.acknowledge());
            if (acknowledges.length === ids.length) resolve();
          },
          backpressure: () => undefined,
          onClosed: () => undefined,
        })
        .then((connection) => closing.push(() => connection.destroy(new Error('the test ends'))));
    });
    await arrived;
    for (const n of [4, 2, 1, 3]) {
      acknowledges[n]?.();
      // Longer than the link needs to send due PUBACKs.
      await new Promise((resolve) => setImmediate(resolve));
    }
    acknowledges[0]?.();
    await expect.poll(() => acknowledged).toEqual(ids);
  });
});
