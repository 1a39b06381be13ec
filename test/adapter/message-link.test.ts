/** The link to an MQTT broker: versions, transports, sharing, sessions, and PUBACK after commit. */
import { ADAPTER_SCHEMA } from '../../src/adapter/schema.js';
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Aedes } from 'aedes';
import mqtt, { type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Received } from '../../src/adapter/d2c-receiver/index.js';
import { type Database, migrate, openPostgres } from '../../src/service/database/index.js';
import {
  type BrokerLinkOptions,
  type MessageLink,
  openBrokerLink,
} from '../../src/adapter/message-link/index.js';
import { eventually } from '../support/adapter.js';
import { emptyPostgresUrl, hasMosquitto } from '../support/databases.js';
import { freePort, type Server, startMosquitto, temporaryDirectory } from '../support/servers.js';

interface Arrived extends Received {
  readonly settle: () => void;
}

/** A link whose messages the test settles, or does not. */
interface TestLink {
  readonly link: MessageLink;
  readonly arrived: Arrived[];
  readonly problems: Error[];
}

describe.skipIf(!hasMosquitto())('a link to a broker', () => {
  let database: Database;
  let broker: Server;
  let tls: { port: number; directory: string };
  let webSocketPort: number;
  let links: MessageLink[] = [];
  const clients: MqttClient[] = [];
  let instances = 0;

  beforeAll(async () => {
    database = openPostgres({ url: await emptyPostgresUrl() });
    await migrate(database, ADAPTER_SCHEMA);
    tls = { port: await freePort(), directory: certificates() };
    webSocketPort = await freePort();
    broker = await startMosquitto(
      [
        `listener ${webSocketPort} 127.0.0.1`,
        'protocol websockets',
        `listener ${tls.port} 127.0.0.1`,
        `cafile ${tls.directory}/ca.pem`,
        `certfile ${tls.directory}/server.pem`,
        `keyfile ${tls.directory}/server.key`,
        'require_certificate true',
      ].join('\n'),
    );
  });
  afterEach(async () => {
    for (const link of links.splice(0)) await link.close();
    for (const client of clients.splice(0)) await client.endAsync(true);
  });
  afterAll(async () => {
    await broker.stop();
    await database.close();
    rmSync(tls.directory, { recursive: true });
  });

  function open(
    changes: Partial<BrokerLinkOptions> = {},
    settles: (received: Received) => boolean = () => true,
  ): TestLink {
    const arrived: Arrived[] = [];
    const problems: Error[] = [];
    const link = openBrokerLink({
      address: { url: broker.url },
      instance: `test-${++instances}`,
      d2cFilter: 'd2c/+',
      sessionExpirySeconds: 600,
      database,
      clock: Date.now,
      handlers: {
        onMessage: (received, settle) => {
          arrived.push({ ...received, settle });
          if (settles(received)) settle();
        },
        backpressure: () => undefined,
        onVehicleConnected: () => undefined,
        onUp: () => undefined,
        onProblem: (error) => problems.push(error),
      },
      ...changes,
    });
    links.push(link);
    return { link, arrived, problems };
  }
  const up = async ({ link, problems }: TestLink) => {
    await eventually(
      () => Promise.resolve({ up: link.isConnected, problems: problems.map(String) }),
      (state) => state.up,
    );
  };
  async function vehicle(url = broker.url): Promise<MqttClient> {
    const client = await mqtt.connectAsync(url, { reconnectPeriod: 0 });
    clients.push(client);
    return client;
  }
  const texts = (...received: TestLink[]) =>
    received.flatMap(({ arrived }) => arrived.map(({ payload }) => payload.toString())).sort();
  const arrives = (count: number, ...received: TestLink[]) =>
    eventually(
      () => Promise.resolve(texts(...received)),
      (all) => all.length >= count,
    );

  test('takes and gives messages over MQTT 5, with their expiry', async () => {
    const a = open();
    await up(a);
    const client = await mqtt.connectAsync(broker.url, { protocolVersion: 5, reconnectPeriod: 0 });
    clients.push(client);
    await client.subscribeAsync('c2d/x', { qos: 1 });
    const heard = new Promise<{ text: string; expiry: number | undefined }>((resolve) =>
      client.on('message', (_topic, payload, packet) =>
        resolve({
          text: payload.toString(),
          expiry: packet.properties?.messageExpiryInterval,
        }),
      ),
    );
    await client.publishAsync('d2c/x', 'up', { qos: 1 });
    expect(await arrives(1, a)).toEqual(['up']);
    expect(a.arrived[0]).toMatchObject({ topic: 'd2c/x', publisher: null });
    await a.link.publish({ topic: 'c2d/x', payload: Buffer.from('down'), expirySeconds: 90 });
    expect(await heard).toMatchObject({ text: 'down', expiry: 90 });
  });

  test('shares the messages with other adapters, each goes to one', async () => {
    const [a, b] = [open(), open()];
    await Promise.all([up(a), up(b)]);
    const client = await vehicle();
    const sent = Array.from({ length: 100 }, (_, n) => `message ${n}`).sort();
    await Promise.all(sent.map((text) => client.publishAsync('d2c/x', text, { qos: 1 })));
    expect(await arrives(100, a, b)).toEqual(sent);
    expect(a.arrived.length).toBeGreaterThan(10);
    expect(b.arrived.length).toBeGreaterThan(10);
  });

  test('what was not settled comes again after a break, to the same name', async () => {
    const instance = 'returning';
    const a = open({ instance }, ({ payload }) => payload.toString() !== 'unsettled');
    await up(a);
    const client = await vehicle();
    await client.publishAsync('d2c/x', 'unsettled', { qos: 1 });
    await arrives(1, a);
    // Another of the same name displaces it, as after a restart before the lease is over.
    const b = open({ instance });
    await up(b);
    expect(await arrives(1, b)).toEqual(['unsettled']);
    // The displaced one goes on under another name.
    await up(a);
    await client.publishAsync('d2c/x', 'later 1', { qos: 1 });
    await client.publishAsync('d2c/x', 'later 2', { qos: 1 });
    await arrives(4, a, b);
  });

  test('the session of a lost adapter is emptied by another one', async () => {
    const client = await vehicle();
    const lost = await mqtt.connectAsync(broker.url, {
      clientId: 'otaops-lost',
      protocolVersion: 5,
      clean: false,
      reconnectPeriod: 0,
      properties: { sessionExpiryInterval: 600 },
    });
    await lost.subscribeAsync('$share/otaops/d2c/+', { qos: 1 });
    lost.stream.destroy();
    await new Promise<void>((resolve) => lost.once('close', () => resolve()));
    for (const n of [1, 2, 3]) await client.publishAsync('d2c/x', `left behind ${n}`, { qos: 1 });
    await database.query(
      `insert into link_sessions values ('otaops-lost', gen_random_uuid(), now() - interval '1 s')`,
    );
    const a = open();
    expect(await arrives(3, a)).toEqual(['left behind 1', 'left behind 2', 'left behind 3']);
    await eventually(
      () =>
        database.query(
          `select from link_sessions where client_id = 'otaops-lost' and ended_at is not null`,
        ),
      (rows) => rows.length === 1,
    );
  }, 40_000);

  test('a graceful end leaves nothing behind', async () => {
    const a = open();
    await up(a);
    await a.link.close();
    const left = 'select client_id from link_sessions where ended_at is null';
    expect(await database.query(left)).toEqual([]);
    links = links.filter((link) => link !== a.link);
  });

  test('falls back to MQTT 3.1.1 where the broker speaks no other', async () => {
    const aedes = await Aedes.createBroker();
    const server = createServer((socket) => void aedes.handle(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const a = open({ address: { url } });
    await up(a);
    const client = await vehicle(url);
    await client.publishAsync('d2c/x', 'old', { qos: 1 });
    expect(await arrives(1, a)).toEqual(['old']);
    await a.link.close();
    links = links.filter((link) => link !== a.link);
    await client.endAsync(true);
    await new Promise<void>((resolve) => aedes.close(resolve));
    server.close();
  });

  test('over TLS with a client certificate, and not without', async () => {
    const url = `mqtts://127.0.0.1:${tls.port}`;
    const pem = (name: string) => readPem(join(tls.directory, name));
    const known = { ca: pem('ca.pem'), cert: pem('client.pem'), key: pem('client.key') };
    const a = open({ address: { url, ...known } });
    await up(a);
    const b = open({ address: { url, ca: known.ca } });
    const c = open({ address: { url } });
    for (const stranger of [b, c]) {
      await eventually(
        () => Promise.resolve(stranger.problems.length),
        (problems) => problems > 0,
      );
      expect(stranger.link.isConnected).toBe(false);
    }
  });

  test('over WebSocket', async () => {
    const a = open({ address: { url: `ws://127.0.0.1:${webSocketPort}` } });
    await up(a);
    await (await vehicle()).publishAsync('d2c/x', 'web', { qos: 1 });
    expect(await arrives(1, a)).toEqual(['web']);
  });

  test('comes back after the broker was away', async () => {
    const a = open();
    await up(a);
    await broker.kill();
    await eventually(
      () => Promise.resolve(a.link.isConnected),
      (connected) => !connected,
    );
    await expect(a.link.publish({ topic: 'c2d/x', payload: Buffer.from('no') })).rejects.toThrow();
    await broker.restart();
    await up(a);
    await (await vehicle()).publishAsync('d2c/x', 'again', { qos: 1 });
    expect(await arrives(1, a)).toContain('again');
  });
});

const readPem = (file: string) => readFileSync(file, 'utf8');

/** An authority, and a certificate from it for the server and for a client. */
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
