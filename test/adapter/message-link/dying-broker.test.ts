/** Messages that arrived before the broker's connection broke are read and handed on, whatever fails meanwhile. */
import { rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { generate, parser } from 'mqtt-packet';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { BrokerDialler } from '../../../src/adapter/message-link/broker-dialler.js';
import { parseBrokerUrl } from '../../../src/contract/index.js';
import { type Authority, newAuthority } from '../../support/certificates.js';
import { isInstalled, temporaryDirectory } from '../../support/servers.js';

/** As many messages as are decrypted ahead, and more; a new connection's buffers hold either. */
const COUNTS = [200, 4_000];
const OPTIONS = { protocolVersion: 5 };
const directory = temporaryDirectory('dying-broker');
const protocols = (await isInstalled('openssl', 'apt-get install openssl'))
  ? (['mqtt', 'mqtts'] as const)
  : (['mqtt'] as const);
type Protocol = (typeof protocols)[number];

describe('a broker that dies', () => {
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  let authority: Authority;
  beforeAll(() => {
    if (protocols.length > 1) authority = newAuthority(directory);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  /** Accepts one connection. @returns where to write, and its TCP socket, once the client is connected */
  async function broker(protocol: Protocol) {
    let accepted: (connection: { stream: Socket; tcp: Socket }) => void = () => undefined;
    const connected = new Promise<{ stream: Socket; tcp: Socket }>(
      (resolve) => (accepted = resolve),
    );
    const talk = (stream: Socket, tcp: Socket) => {
      const packets = parser(OPTIONS);
      packets.on('packet', ({ cmd }) => {
        if (cmd !== 'connect') return;
        const connack = { cmd: 'connack', reasonCode: 0, sessionPresent: false } as const;
        stream.write(generate(connack, OPTIONS));
        // From now on it reads nothing, so data that arrives turns its close into a reset.
        stream.pause();
        accepted({ stream, tcp });
      });
      stream.on('data', (chunk) => packets.parse(chunk));
      stream.on('error', () => undefined);
    };
    const server = createServer({ noDelay: true }, (tcp) => {
      tcp.on('error', () => undefined);
      if (protocol === 'mqtt') talk(tcp, tcp);
      else {
        const secure = createTlsServer(authority.issue('broker'));
        secure.on('secureConnection', (stream) => talk(stream, tcp));
        secure.emit('connection', tcp);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    return { url: `${protocol}://127.0.0.1:${port}`, connected };
  }

  const messageOf = (messageId: number) =>
    generate(
      {
        ...{ cmd: 'publish', topic: 'd2c/a', payload: String(messageId), messageId },
        ...{ qos: 1, dup: false, retain: false },
      },
      OPTIONS,
    );

  const cases = protocols.flatMap((protocol) =>
    COUNTS.flatMap((count) =>
      (['reset', 'closed'] as const).map((how) => [protocol, how, count] as const),
    ),
  );
  test.each(cases)(
    '%s: if the connection is %s while %i messages wait, all of them are read',
    async (protocol, how, count) => {
      const { url, connected } = await broker(protocol);
      const received: string[] = [];
      let why: Error | undefined;
      let goOn: () => void = () => undefined;
      let acknowledge: () => void = () => undefined;
      const tls = protocol === 'mqtts' ? { ca: authority.cert } : {};
      const connection = await new BrokerDialler({ url: parseBrokerUrl(url), tls }).connect({
        clientId: 'reader',
        clean: true,
        sessionExpirySeconds: 0,
        clock: Date.now,
        onMessage: (message) => {
          received.push(Buffer.from(message.payload).toString());
          acknowledge = () => message.acknowledge();
        },
        // After the first reading, the database is slow.
        backpressure: () =>
          received.length === 1 ? new Promise((resolve) => (goOn = resolve)) : undefined,
        onClosed: (error) => (why = error),
      });
      closing.push(() => connection.destroy(new Error('the test ends')));
      const { stream, tcp } = await connected;
      stream.write(messageOf(1));
      await expect.poll(() => received.length).toBe(1);
      for (let n = 2; n <= count; n++) stream.write(messageOf(n));
      await expect.poll(() => stream.writableLength + tcp.writableLength).toBe(0);
      // Time to get from its kernel to ours.
      await sleep(100);
      if (how === 'reset') tcp.resetAndDestroy();
      else tcp.destroy();
      await expect.poll(() => tcp.closed).toBe(true);
      // Time for the link to notice, if it still reads.
      await sleep(100);
      // The PUBACK is written to a connection that is gone.
      acknowledge();
      await sleep(100);
      goOn();
      await expect.poll(() => why).toBeDefined();
      expect(received).toEqual(Array.from({ length: count }, (_, n) => String(n + 1)));
      expect(connection.isOpen).toBe(false);
    },
  );
});
