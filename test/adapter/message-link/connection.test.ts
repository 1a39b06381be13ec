/** The link to an MQTT broker: versions, transports, hosts, messages of any size, PUBACK after commit. */
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { Aedes } from 'aedes';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { type Received } from '../../../src/adapter/d2c-receiver/index.js';
import { eventually } from '../../support/adapter.js';
import { hasMosquitto } from '../../support/databases.js';
import { freePort, isInstalled, type Server, temporaryDirectory } from '../../support/servers.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { testLinks } from './test-links.js';

const hasOpenSsl = await isInstalled('openssl', 'apt-get install openssl');

describe.skipIf(!hasMosquitto() || !hasOpenSsl)('a link to a broker', () => {
  let tls: { port: number; directory: string };
  let webSocketPort: number;
  const links = testLinks(async () => {
    tls = { port: await freePort(), directory: certificates() };
    webSocketPort = await freePort();
    return [
      `listener ${webSocketPort} 127.0.0.1`,
      'protocol websockets',
      `listener ${tls.port} 127.0.0.1`,
      `cafile ${tls.directory}/ca.pem`,
      `certfile ${tls.directory}/server.pem`,
      `keyfile ${tls.directory}/server.key`,
      'require_certificate true',
    ].join('\n');
  });
  const { open, opened, close, isUp, isSubscribed, vehicle, arrives } = links;
  let broker: Server;
  beforeEach(() => {
    ({ broker } = links);
  });
  afterAll(() => rmSync(tls.directory, { recursive: true }));

  test('receives and publishes messages over MQTT 5, with their expiry', async () => {
    const a = await opened();
    const client = await vehicle(broker.url, { protocolVersion: 5 });
    await client.subscribeAsync('c2d/x', { qos: 1 });
    const heard = new Promise<{ text: string; expiry: number | undefined }>((resolve) =>
      client.on('message', (_topic, payload, packet) =>
        resolve({
          text: payload.toString(),
          expiry: packet.properties?.messageExpiryInterval,
        }),
      ),
    );
    await client.publishAsync('d2c/x', 'up', {
      qos: 1,
      properties: { userProperties: { some: 'property' } },
    });
    expect(await arrives(1, a)).toEqual(['up']);
    expect(a.arrived[0]).toMatchObject({ topic: 'd2c/x', publisher: null });
    await a.link.publish({ topic: 'c2d/x', payload: Buffer.from('down'), expirySeconds: 90 });
    expect(await heard).toMatchObject({ text: 'down', expiry: 90 });
  });

  test('messages of any length arrive unchanged', async () => {
    const a = await opened();
    const client = await vehicle();
    const lengths = [0, 1, 100, 127, 128, 16_000, 16_383, 16_384, 70_000, 300_000, 2_100_000];
    const sent = lengths.map((length) => Buffer.alloc(length, `${length} bytes `));
    await Promise.all(sent.map((payload) => client.publishAsync('d2c/x', payload, { qos: 1 })));
    await arrives(lengths.length, a);
    expect(
      a.arrived.map(({ payload }) => Buffer.compare(Buffer.from(payload), sent.shift() ?? payload)),
    ).toEqual(lengths.map(() => 0));
    // The same in the other direction.
    await client.subscribeAsync('c2d/x', { qos: 1 });
    const back: number[] = [];
    client.on('message', (_topic, payload) => back.push(payload.length));
    await Promise.all(
      lengths.map((length) => a.link.publish({ topic: 'c2d/x', payload: Buffer.alloc(length) })),
    );
    await eventually(
      () => Promise.resolve(back),
      ({ length }) => length === lengths.length,
    );
    expect(back).toEqual(lengths);
  });

  test('a message keeps its bytes until it is acknowledged, while others come and go', async () => {
    const waiting: Received[] = [];
    let count = 0;
    const a = await opened({
      acknowledges: (message) => {
        const isDone = ++count % 3 === 0;
        if (!isDone) waiting.push(message);
        return isDone;
      },
    });
    const client = await vehicle();
    const payloadOf = (n: number) => `${n} `.repeat(300);
    // Much more than is read at once, so that memory is reused.
    const publish = async (from: number) => {
      const numbers = Array.from({ length: 600 }, (_, n) => from + n);
      await Promise.all(
        numbers.map((n) => client.publishAsync(`d2c/${n}`, payloadOf(n), { qos: 1 })),
      );
      await arrives(from + 600, a);
    };
    for (let round = 0; round < 4; round++) {
      await publish(round * 600);
      const wrong = waiting.filter(
        ({ topic, payload }) =>
          Buffer.from(payload).toString() !== payloadOf(Number(topic.split('/')[1])),
      );
      expect(wrong).toEqual([]);
      for (const { topic } of waiting.splice(0, waiting.length / 2)) {
        a.arrived.find((arrived) => arrived.topic === topic)?.acknowledge();
      }
    }
    expect(a.arrived).toHaveLength(2_400);
  });
  test('falls back to MQTT 3.1.1 if the broker supports nothing else', async () => {
    const aedes = await Aedes.createBroker();
    const server = createServer((socket) => void aedes.handle(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const a = await opened({ url });
    const client = await vehicle(url);
    await client.publishAsync('d2c/x', 'old', { qos: 1 });
    expect(await arrives(1, a)).toEqual(['old']);
    const shared = await open({ url, isShared: true });
    await eventually(
      () => Promise.resolve(shared.problems.map(String).join()),
      (problems) => problems.includes('no shared subscriptions'),
    );
    expect(shared.link.isConnected).toBe(false);
    await close(shared);
    await close(a);
    await client.endAsync(true);
    await new Promise<void>((resolve) => aedes.close(resolve));
    server.close();
  });

  test('connects to a host that answers, and to another one once that is lost', async () => {
    const [first, second] = [await TcpProxy.to(broker.port), await TcpProxy.to(broker.port)];
    const dead = await freePort();
    const hosts = [dead, first.port, second.port].map((port) => `127.0.0.1:${port}`);
    const a = await opened({ url: `mqtt://${hosts.join(',')}` });
    await isSubscribed(a);
    first.break();
    const since = performance.now();
    const client = await vehicle();
    await client.publishAsync('d2c/x', 'by another way', { qos: 1 });
    await arrives(1, a);
    // A cluster needs this time to notice that our session has lost its connection.
    expect(performance.now() - since).toBeGreaterThan(1_900);
    second.break();
    first.mend();
    await client.publishAsync('d2c/x', 'and back', { qos: 1 });
    expect(new Set(await arrives(2, a))).toEqual(new Set(['by another way', 'and back']));
    await close(a);
    await first.close();
    await second.close();
  });

  test('a host that accepts and stays silent is abandoned after 3 s if there is another', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const since = Date.now();
    const a = await opened({ url: `mqtt://127.0.0.1:${port},127.0.0.1:${broker.port}` });
    // A single host would have 10 s.
    expect(Date.now() - since).toBeLessThan(9_500);
    await close(a);
    silent.close();
  });

  test('bytes that are not MQTT end the connection, not the process', async () => {
    const odd = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.write(Buffer.from([0x20, 3, 0, 0, 0]));
        socket.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0xff, 1]));
      });
    });
    await new Promise<void>((resolve) => odd.listen(0, '127.0.0.1', resolve));
    const a = await open({ url: `mqtt://127.0.0.1:${(odd.address() as AddressInfo).port}` });
    await eventually(
      () => Promise.resolve(a.problems.map(String)),
      (problems) => problems.some((problem) => problem.includes('MalformedPacket')),
    );
    await close(a);
    odd.close();
  });

  test('connects over TLS with a client certificate, and not without one', async () => {
    const url = `mqtts://127.0.0.1:${tls.port}`;
    const pem = (name: string) => readFileSync(join(tls.directory, name), 'utf8');
    const known = { ca: pem('ca.pem'), cert: pem('client.pem'), key: pem('client.key') };
    await opened({ url, tls: known });
    const b = await open({ url, tls: { ca: known.ca } });
    const c = await open({ url });
    for (const stranger of [b, c]) {
      await eventually(
        () => Promise.resolve(stranger.problems.length),
        (problems) => problems > 0,
      );
      expect(stranger.link.isConnected).toBe(false);
    }
  });

  test('connects over WebSocket', async () => {
    const a = await opened({ url: `ws://127.0.0.1:${webSocketPort}` });
    await (await vehicle()).publishAsync('d2c/x', 'web', { qos: 1 });
    expect(await arrives(1, a)).toEqual(['web']);
  });

  test('reconnects after the broker was down', async () => {
    const a = await opened();
    await broker.kill();
    await eventually(
      () => Promise.resolve(a.link.isConnected),
      (connected) => !connected,
    );
    await expect(a.link.publish({ topic: 'c2d/x', payload: Buffer.from('no') })).rejects.toThrow();
    await broker.restart();
    await isUp(a);
    await (await vehicle()).publishAsync('d2c/x', 'again', { qos: 1 });
    expect(await arrives(1, a)).toContain('again');
  });
});

/** A certificate authority, and its certificates for the server and a client. */
function certificates(): string {
  const directory = temporaryDirectory('tls');
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  const key = ['-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=test ca');
  for (const name of ['server', 'client']) {
    const from = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-addext', 'subjectAltName=IP:127.0.0.1'];
    openssl(
      ...['req', '-x509', ...key, ...from],
      ...['-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`],
    );
    chmodSync(join(directory, `${name}.key`), 0o644);
  }
  chmodSync(directory, 0o755);
  return directory;
}
