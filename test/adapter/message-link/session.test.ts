/** The group's session at a broker: one adapter reads, the next takes over, two systems do not interfere. */
import { type AddressInfo, connect as connectTo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { generate, parser } from 'mqtt-packet';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  type BrokerLinkOptions,
  subscriptionStatistics,
} from '../../../src/adapter/message-link/index.js';
import { readGroupId } from '../../../src/adapter/message-link/subscription-lease.js';
import { type Database } from '../../../src/service/database/index.js';
import { eventually } from '../../support/adapter.js';
import { hasMosquitto } from '../../support/databases.js';
import { isFullDepth } from '../../support/depth.js';
import { type Server, startMosquitto } from '../../support/servers.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { testLinks } from './test-links.js';

/** Accepted, MQTT 5, without properties. */
const CONNACK = Buffer.from([0x20, 3, 0, 0, 0]);

describe.skipIf(!hasMosquitto())('the session of a group', () => {
  const links = testLinks();
  const {
    newSystem,
    open,
    opened,
    close,
    isUp,
    isSubscribed,
    vehicle,
    heardOnce,
    offered,
    arrives,
    texts,
  } = links;
  let database: Database;
  let broker: Server;
  beforeEach(() => {
    ({ database, broker } = links);
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
    // The holder has sent heartbeats; after its shutdown, nobody must wait for it.
    await heardOnce('otaops/+');
    const since = Date.now();
    await close(a);
    await client.publishAsync('d2c/x', 'while nobody reads', { qos: 1 });
    expect(await arrives(1, b)).toEqual(['while nobody reads']);
    // The next one would wait 4 s for a holder that is only silent.
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

  test('a vehicle cannot mark its message as repeated: only the broker can', async () => {
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

  test.runIf(isFullDepth)(
    'a holder gives way once it has stored what it read, at the latest when its lease ends',
    async () => {
      const proxy = await TcpProxy.to(broker.port);
      let isAllStored = false;
      const a = await opened({
        url: `mqtt://127.0.0.1:${proxy.port}`,
        isAllStored: () => isAllStored,
      });
      const b = await opened();
      proxy.break();
      // Without unstored messages it gives way after 3 s; its lease is 10 s.
      await sleep(5_000);
      expect(b.link.isSubscribed).toBe(false);
      isAllStored = true;
      await isSubscribed(b);

      isAllStored = false;
      await close(b);
      proxy.mend();
      await isSubscribed(a);
      const c = await opened();
      proxy.break();
      await isSubscribed(c);
      await proxy.close();
    },
  );

  test('the next holder reports a session that the broker lost while nobody read', async () => {
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

  test.runIf(isFullDepth)(
    'the next holder reads more messages in flight than there are packet ids, in order',
    async () => {
      const a = await opened();
      await isSubscribed(a);
      await close(a);
      const numbers = Array.from({ length: 80_000 }, (_, n) => String(n));
      const client = await vehicle();
      for (let from = 0; from < numbers.length; from += 10_000) {
        const some = numbers.slice(from, from + 10_000);
        await Promise.all(some.map((n) => client.publishAsync('d2c/x', n, { qos: 1 })));
      }
      // MQTT 3.1.1 has no Receive Maximum: Mosquitto counts all of them as in flight, also on the next connection.
      await receivesAll(numbers.length, `otaops-${await readGroupId(database)}-in`);
      const b = await opened();
      expect(await arrives(numbers.length, b)).toEqual(numbers);
      expect(b.problems).toEqual([]);
    },
  );

  /** Connects with MQTT 3.1.1, and disconnects without a PUBACK once this many messages have arrived. */
  async function receivesAll(count: number, clientId: string): Promise<void> {
    const socket = connectTo(broker.port, '127.0.0.1');
    const packets = parser();
    let received = 0;
    const all = new Promise<void>((resolve) =>
      packets.on('packet', ({ cmd }) => {
        if (cmd === 'publish' && ++received === count) resolve();
      }),
    );
    socket.on('data', (chunk) => packets.parse(chunk));
    const connection = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4 } as const;
    socket.write(generate({ ...connection, clientId, clean: false, keepalive: 0 }));
    await all;
    socket.destroy();
  }

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

  test('a lone adapter keeps the lease while the broker is down, and reports that the broker has lost its session', async () => {
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

  test('a lone adapter acknowledges at once after it lost the broker: the session is certainly its own', async () => {
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
    'an adapter without its database stops reading when its lease expires, and continues once it is back',
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
});
