/** The link to an MQTT broker: versions, transports, hosts, the group's session, PUBACK after commit. */
import { ADAPTER_SCHEMA } from '../../src/adapter/schema.js';
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Aedes } from 'aedes';
import mqtt, { type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isFullDepth } from '../support/depth.js';
import { type Received } from '../../src/adapter/d2c-receiver/index.js';
import { type Database, migrate, openPostgres } from '../../src/service/database/index.js';
import {
  BrokerLink,
  type BrokerLinkOptions,
  type MessageLink,
  subscriptionStatistics,
} from '../../src/adapter/message-link/index.js';
import { parseBrokerUrl } from '../../src/contract/index.js';
import { eventually } from '../support/adapter.js';
import { emptyPostgresUrl, hasMosquitto } from '../support/databases.js';
import {
  freePort,
  isInstalled,
  type Server,
  startMosquitto,
  temporaryDirectory,
} from '../support/servers.js';
import { TcpProxy } from '../support/tcp-proxy.js';

interface Arrived extends Received {
  readonly isRepeated: boolean;
  readonly acknowledge: () => void;
}

/** A link whose messages the test acknowledges or not. */
interface TestLink {
  readonly link: MessageLink;
  readonly arrived: Arrived[];
  readonly problems: Error[];
}

interface TestLinkOptions extends Partial<BrokerLinkOptions> {
  readonly url?: string;
  readonly tls?: { ca?: string; cert?: string; key?: string };
  readonly acknowledges?: (received: Received) => boolean;
}

/** Accepted, MQTT 5, without properties. */
const CONNACK = Buffer.from([0x20, 3, 0, 0, 0]);

const hasOpenSsl = await isInstalled('openssl', 'apt-get install openssl');

describe.skipIf(!hasMosquitto() || !hasOpenSsl)('a link to a broker', () => {
  let database: Database;
  let broker: Server;
  let tls: { port: number; directory: string };
  let webSocketPort: number;
  const links: MessageLink[] = [];
  const clients: MqttClient[] = [];
  let instances = 0;

  beforeAll(async () => {
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
  // Each test has its own system: its own group id, and hence its own session.
  beforeEach(async () => {
    database = await newSystem();
  });
  afterEach(async () => {
    for (const link of links.splice(0)) await link.close();
    for (const client of clients.splice(0)) await client.endAsync(true);
    await database.close();
  });
  afterAll(async () => {
    await broker.stop();
    rmSync(tls.directory, { recursive: true });
  });

  async function newSystem(): Promise<Database> {
    const made = openPostgres({ url: await emptyPostgresUrl() });
    await migrate(made, ADAPTER_SCHEMA);
    return made;
  }
  async function open({
    url,
    tls,
    acknowledges,
    ...changes
  }: TestLinkOptions = {}): Promise<TestLink> {
    const arrived: Arrived[] = [];
    const problems: Error[] = [];
    const link = new BrokerLink({
      address: { url: parseBrokerUrl(url ?? broker.url), tls: tls ?? {} },
      instance: `test-${++instances}`,
      d2cFilter: 'd2c/+',
      sessionExpirySeconds: 600,
      database,
      clock: Date.now,
      ...changes,
    });
    links.push(link);
    await link.open({
      onMessage: (message) => {
        const { topic, receivedAt, publisher, isRepeated } = message;
        const acknowledge = () => message.acknowledge();
        const payload = Buffer.from(message.payload);
        arrived.push({ topic, payload, receivedAt, publisher, isRepeated, acknowledge });
        if (acknowledges?.(message) ?? true) acknowledge();
      },
      backpressure: () => undefined,
      onVehicleConnected: () => undefined,
      onUp: () => undefined,
      onSubscribed: () => undefined,
      onProblem: (error) => problems.push(error),
    });
    return { link, arrived, problems };
  }
  const close = async ({ link }: TestLink) => {
    links.splice(links.indexOf(link), 1);
    await link.close();
  };
  const isUp = async ({ link, problems }: TestLink) => {
    await eventually(
      () => Promise.resolve({ up: link.isConnected, problems: problems.map(String) }),
      (state) => state.up,
    );
  };
  const isSubscribed = async ({ link, problems }: TestLink) => {
    await eventually(
      () => Promise.resolve({ subscribed: link.isSubscribed, problems: problems.map(String) }),
      (state) => state.subscribed,
    );
  };
  async function opened(options: TestLinkOptions = {}): Promise<TestLink> {
    const test = await open(options);
    await isUp(test);
    return test;
  }
  async function vehicle(url = broker.url): Promise<MqttClient> {
    const client = await mqtt.connectAsync(url, { reconnectPeriod: 0 });
    clients.push(client);
    return client;
  }
  async function heardOnce(filter: string): Promise<void> {
    const client = await vehicle();
    const heard = new Promise((resolve) => client.once('message', resolve));
    await client.subscribeAsync(filter);
    await heard;
  }
  const texts = (...received: TestLink[]) =>
    received.flatMap(({ arrived }) => arrived.map(({ payload }) => payload.toString()));
  const offered = () =>
    eventually(
      () =>
        database.query<{ offered: boolean }>(
          `select lease_until = '-infinity' as offered from subscription_lease`,
        ),
      ([lease]) => lease?.offered === true,
    );
  const arrives = (count: number, ...received: TestLink[]) =>
    eventually(
      () => Promise.resolve(texts(...received)),
      (all) => all.length >= count,
    );

  test('receives and publishes messages over MQTT 5, with their expiry', async () => {
    const a = await opened();
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
    // Much more than is read at once, so that memory is used again.
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

  test('one of several adapters reads; after its clean shutdown the next takes over at once', async () => {
    const a = await opened();
    const b = await opened();
    expect([a.link.isSubscribed, b.link.isSubscribed]).toEqual([true, false]);
    const client = await vehicle();
    await client.publishAsync('d2c/x', 'first', { qos: 1 });
    expect(await arrives(1, a)).toEqual(['first']);
    // All of them publish.
    await b.link.publish({ topic: 'c2d/x', payload: Buffer.from('from a standby') });
    // The holder has sent heartbeats, and must not be waited for after its shutdown.
    await heardOnce('otaops/+');
    const since = Date.now();
    await close(a);
    await client.publishAsync('d2c/x', 'while nobody reads', { qos: 1 });
    expect(await arrives(1, b)).toEqual(['while nobody reads']);
    // A holder that is only silent is waited for 4 s.
    expect(Date.now() - since).toBeLessThan(3_900);
    expect(b.arrived).toHaveLength(1);
    expect((await subscriptionStatistics(database)).takeovers).toBe(2);
  });

  test('the next holder first gets the unacknowledged messages, then the rest, in order', async () => {
    const a = await opened({ acknowledges: ({ payload }) => payload.toString() === '0' });
    const client = await vehicle();
    for (const text of ['0', '1', '2', '3']) await client.publishAsync('d2c/x', text, { qos: 1 });
    await arrives(4, a);
    await close(a);
    await client.publishAsync('d2c/x', '4', { qos: 1 });
    const b = await opened();
    expect(await arrives(4, b)).toEqual(['1', '2', '3', '4']);
    expect(b.arrived.map(({ isRepeated }) => isRepeated)).toEqual([true, true, true, false]);
  });

  test('a vehicle cannot say that its message is repeated: that is for the broker to say', async () => {
    const a = await opened();
    const client = await vehicle();
    await client.publishAsync('d2c/x', 'new', { qos: 1, dup: true });
    await arrives(1, a);
    expect(a.arrived.map(({ isRepeated }) => isRepeated)).toEqual([false]);
  });

  test('an adapter that restarts under its name takes over from its dead process at once', async () => {
    const lost = await opened({ instance: 'returning', acknowledges: () => false });
    const client = await vehicle();
    await client.publishAsync('d2c/x', 'unacknowledged', { qos: 1 });
    await arrives(1, lost);
    const since = Date.now();
    const again = await opened({ instance: 'returning' });
    expect(await arrives(1, again)).toEqual(['unacknowledged']);
    // Its lease is 10 s.
    expect(Date.now() - since).toBeLessThan(9_000);
    // The other one is a standby, and stays one.
    await eventually(
      () => Promise.resolve(lost.link.isConnected && !lost.link.isSubscribed),
      (isStandby) => isStandby,
    );
    await isSubscribed(again);
  });

  test.runIf(isFullDepth)('a dead holder is replaced within 15 s', async () => {
    // It is cut off from database and broker: as good as dead.
    const proxy = await TcpProxy.to(broker.port);
    let isCut = false;
    const cut: BrokerLinkOptions['database'] = {
      query: (...args) => (isCut ? Promise.reject(new Error('cut off')) : database.query(...args)),
      script: (text) => database.script(text),
    };
    const a = await opened({ url: `mqtt://127.0.0.1:${proxy.port}`, database: cut });
    const b = await opened();
    const client = await vehicle();
    isCut = true;
    proxy.cutHalfOpen();
    const since = Date.now();
    await client.publishAsync('d2c/x', 'to whoever is there', { qos: 1 });
    expect(await arrives(1, b)).toEqual(['to whoever is there']);
    expect(Date.now() - since).toBeLessThan(15_000);
    expect(a.arrived).toEqual([]);
    isCut = false;
    await isUp(a);
    expect([a.link.isSubscribed, b.link.isSubscribed]).toEqual([false, true]);
    await proxy.close();
  });

  test('a holder that the broker does not answer gives way, and reports nothing as lost when it reads again', async () => {
    const proxy = await TcpProxy.to(broker.port);
    const a = await opened({ url: `mqtt://127.0.0.1:${proxy.port}` });
    await isSubscribed(a);
    const b = await opened();
    proxy.break();
    await isSubscribed(b);
    expect(a.link.isConnected).toBe(false);
    const client = await vehicle();
    await client.publishAsync('d2c/x', 'to the other one', { qos: 1 });
    expect(await arrives(1, b)).toEqual(['to the other one']);
    await close(b);
    proxy.mend();
    await isSubscribed(a);
    expect(a.problems.map(({ name }) => name)).not.toContain('SessionLost');
    expect(await subscriptionStatistics(database)).toMatchObject({ takeovers: 3 });
    await proxy.close();
  });

  test('a session that the broker has lost while nobody read is reported by the next holder', async () => {
    const own = await startMosquitto('persistence false');
    try {
      const a = await opened({ url: own.url });
      await isSubscribed(a);
      await eventually(
        () =>
          database.query<{ session_of: string | null }>(
            'select session_of from subscription_lease',
          ),
        ([lease]) => lease?.session_of !== null,
      );
      await close(a);
      const b = await opened({ url: own.url });
      await isSubscribed(b);
      await close(b);
      await own.kill();
      await own.restart();
      const c = await opened({ url: own.url });
      await isSubscribed(c);
      const losses = [a, b, c].map(({ problems }) => problems.map(({ name }) => name));
      expect(losses).toEqual([[], [], ['SessionLost']]);
      await eventually(
        () => subscriptionStatistics(database),
        ({ sessionsLost }) => sessionsLost === 1,
      );
      await close(c);
    } finally {
      await own.stop();
    }
  });

  test('a holder that gives way abandons its attempt to connect, which would take the session from the next one', async () => {
    const ends: string[] = [];
    let publishing: Socket | undefined;
    // It accepts one connection, which publishes, and falls silent once another one wants to read.
    const silent = createServer((socket) => {
      let isReader = false;
      socket.once('data', (data) => {
        isReader = data.includes('-in');
        if (isReader) publishing?.destroy();
        else if (!publishing) (publishing = socket).write(CONNACK);
      });
      socket.on('error', ({ code }: NodeJS.ErrnoException) => isReader && ends.push(String(code)));
      socket.on('end', () => isReader && ends.push('end'));
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const a = await open({ url: `mqtt://127.0.0.1:${port}` });
    await eventually(
      () => Promise.resolve(ends),
      ({ length }) => length > 0,
    );
    expect(ends[0]).toBe('ECONNRESET');
    // Its other connection waits for an answer, up to 10 s.
    const since = performance.now();
    await close(a);
    expect(performance.now() - since).toBeLessThan(5_000);
    silent.close();
  });

  test('alone, it keeps the lease while the broker is away, and reports that the broker has lost its session', async () => {
    const own = await startMosquitto('persistence false');
    try {
      const a = await opened({ url: own.url });
      await own.kill();
      await offered();
      await own.restart();
      await isUp(a);
      await isSubscribed(a);
      expect(a.problems.map(({ name }) => name)).toContain('SessionLost');
      expect(await subscriptionStatistics(database)).toMatchObject({ takeovers: 1 });
      await close(a);
    } finally {
      await own.stop();
    }
  });

  test('alone, it acknowledges at once after the broker was away: the session is its own beyond doubt', async () => {
    const proxy = await TcpProxy.to(broker.port);
    const a = await opened({ url: `mqtt://127.0.0.1:${proxy.port}` });
    await isSubscribed(a);
    const client = await vehicle();
    proxy.break();
    await offered();
    proxy.mend();
    await isSubscribed(a);
    await client.publishAsync('d2c/x', 'one', { qos: 1 });
    await arrives(1, a);
    // A new holder would withhold its acknowledgement for 6 s.
    await sleep(500);
    proxy.break();
    await eventually(
      () => Promise.resolve(a.link.isSubscribed),
      (reads) => !reads,
    );
    proxy.mend();
    await isSubscribed(a);
    await client.publishAsync('d2c/x', 'two', { qos: 1 });
    await eventually(
      () => Promise.resolve(texts(a)),
      (all) => all.includes('two'),
    );
    expect(texts(a)).toEqual(['one', 'two']);
    expect(await subscriptionStatistics(database)).toMatchObject({ takeovers: 1 });
    await close(a);
    await proxy.close();
  });

  test.runIf(isFullDepth)(
    'without the database it stops reading when its lease expires, and continues when the database is back',
    async () => {
      let isAway = false;
      const shaky: BrokerLinkOptions['database'] = {
        query: (...args) =>
          isAway ? Promise.reject(new Error('database away')) : database.query(...args),
        script: (text) => database.script(text),
      };
      const a = await opened({ database: shaky });
      isAway = true;
      await eventually(
        () => Promise.resolve(a.link.isSubscribed),
        (subscribed) => !subscribed,
      );
      const client = await vehicle();
      await client.publishAsync('d2c/x', 'meanwhile', { qos: 1 });
      isAway = false;
      expect(await arrives(1, a)).toEqual(['meanwhile']);
    },
  );

  test('two systems on one broker both get every message', async () => {
    const other = await newSystem();
    try {
      const a = await opened();
      const b = await opened({ database: other });
      const client = await vehicle();
      for (const text of ['1', '2', '3']) await client.publishAsync('d2c/x', text, { qos: 1 });
      expect(await arrives(3, a)).toEqual(['1', '2', '3']);
      expect(await arrives(3, b)).toEqual(['1', '2', '3']);
      await close(b);
    } finally {
      await other.close();
    }
  });

  test.runIf(isFullDepth)(
    'a copy of a database leaves the running system its session and gets a new id',
    async () => {
      const client = await vehicle();
      const original = await opened({
        acknowledges: ({ payload }) => payload.toString() !== 'late',
      });
      await client.publishAsync('d2c/x', 'early', { qos: 1 });
      await client.publishAsync('d2c/x', 'late', { qos: 1 });
      await arrives(2, original);
      const copied = await newSystem();
      try {
        const [group] = await database.query<{ id: string }>('select id from adapter_group');
        await copied.query('update adapter_group set id = $1', [group?.id ?? '']);
        const copy = await open({ database: copied });
        await eventually(
          () => subscriptionStatistics(copied),
          ({ conflicts }) => conflicts === 1,
        );
        expect(copy.problems.map(String).join()).toMatch(/one database is a copy of the other/);
        await isSubscribed(original);
        await isSubscribed(copy);
        // Messages that the copy has seen meanwhile were not taken from the original.
        const before = texts(original).length;
        await client.publishAsync('d2c/x', 'to both', { qos: 1 });
        expect((await arrives(before + 1, original)).at(-1)).toBe('to both');
        await eventually(
          () => Promise.resolve(texts(copy)),
          (all) => all.includes('to both'),
        );
        expect(await subscriptionStatistics(database)).toMatchObject({ conflicts: 0 });
        expect(await database.query('select id from adapter_group')).toEqual([group]);
        // The unacknowledged one still belongs to the original.
        await close(original);
        const next = await opened();
        expect((await arrives(1, next))[0]).toBe('late');
        await close(copy);
      } finally {
        await copied.close();
      }
    },
  );

  test('a restored database continues with the same session', async () => {
    const client = await vehicle();
    const before = await opened({ acknowledges: () => false });
    await client.publishAsync('d2c/x', 'not stored yet', { qos: 1 });
    await arrives(1, before);
    const [group] = await database.query<{ id: string }>('select id from adapter_group');
    await close(before);
    await client.publishAsync('d2c/x', 'while everything is away', { qos: 1 });
    const restored = await newSystem();
    try {
      await restored.query('update adapter_group set id = $1', [group?.id ?? '']);
      const after = await opened({ database: restored });
      expect(await arrives(2, after)).toEqual(['not stored yet', 'while everything is away']);
      await close(after);
    } finally {
      await restored.close();
    }
  });

  test('with a shared subscription all adapters read, and each message goes to one of them', async () => {
    const [a, b] = [await opened({ isShared: true }), await opened({ isShared: true })];
    const client = await vehicle();
    const sent = Array.from({ length: 100 }, (_, n) => `message ${n}`).sort();
    await Promise.all(sent.map((text) => client.publishAsync('d2c/x', text, { qos: 1 })));
    expect((await arrives(100, a, b)).sort()).toEqual(sent);
    expect(a.arrived.length).toBeGreaterThan(10);
    expect(b.arrived.length).toBeGreaterThan(10);
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

  test('connects to a host that answers, and to another one after that is lost', async () => {
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
    // A single host has 10 s.
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

  test('over TLS with a client certificate, and not without', async () => {
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

  test('over WebSocket', async () => {
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
