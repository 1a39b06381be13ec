/** What has arrived from a broker before its connection broke is read and handed on, whatever fails meanwhile. */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { generate, parser } from 'mqtt-packet';
import { afterEach, describe, expect, test } from 'vitest';
import { BrokerDialler } from '../../../src/adapter/message-link/broker-dialler.js';
import { parseBrokerUrl } from '../../../src/contract/index.js';

/** As many as a new connection's buffers hold. */
const MESSAGES = 200;
const OPTIONS = { protocolVersion: 5 };

describe('a broker that dies', () => {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  /** Accepts one connection. @returns its socket, once the client is connected */
  async function broker() {
    let accepted: (socket: Socket) => void = () => undefined;
    const connected = new Promise<Socket>((resolve) => (accepted = resolve));
    const server = createServer((socket) => {
      const packets = parser(OPTIONS);
      packets.on('packet', ({ cmd }) => {
        if (cmd !== 'connect') return;
        const connack = { cmd: 'connack', reasonCode: 0, sessionPresent: false } as const;
        socket.write(generate(connack, OPTIONS));
        // From now on, it reads nothing: what arrives makes its end a reset.
        socket.pause();
        accepted(socket);
      });
      socket.on('data', (chunk) => packets.parse(chunk));
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    return { url: `mqtt://127.0.0.1:${port}`, connected };
  }

  const messageOf = (messageId: number) =>
    generate(
      {
        ...{ cmd: 'publish', topic: 'd2c/a', payload: String(messageId), messageId },
        ...{ qos: 1, dup: false, retain: false },
      },
      OPTIONS,
    );

  test.each(['reset', 'closed'])('its connection is %s while unread messages wait', async (how) => {
    const { url, connected } = await broker();
    const received: string[] = [];
    let why: Error | undefined;
    let goOn: () => void = () => undefined;
    let acknowledge: () => void = () => undefined;
    const connection = await new BrokerDialler({ url: parseBrokerUrl(url), tls: {} }).connect({
      clientId: 'reader',
      clean: true,
      sessionExpirySeconds: 0,
      clock: Date.now,
      onMessage: (message) => {
        received.push(Buffer.from(message.payload).toString());
        acknowledge = () => message.acknowledge();
      },
      // After the first reading, the database takes its time.
      backpressure: () =>
        received.length === 1 ? new Promise((resolve) => (goOn = resolve)) : undefined,
      onClosed: (error) => (why = error),
    });
    closing.push(() => connection.destroy(new Error('the test ends')));
    const socket = await connected;
    socket.write(messageOf(1));
    await expect.poll(() => received.length).toBe(1);
    socket.setNoDelay(true);
    for (let n = 2; n <= MESSAGES; n++) socket.write(messageOf(n));
    await expect.poll(() => socket.writableLength).toBe(0);
    // From our kernel to our kernel.
    await sleep(100);
    if (how === 'reset') socket.resetAndDestroy();
    else socket.destroy();
    await expect.poll(() => socket.closed).toBe(true);
    // The PUBACK meets a connection that is gone.
    acknowledge();
    await sleep(100);
    goOn();
    await expect.poll(() => why).toBeDefined();
    expect(received).toEqual(Array.from({ length: MESSAGES }, (_, n) => String(n + 1)));
    expect(connection.isOpen).toBe(false);
  });
});
