/** Attacks by strangers and hostile vehicles on the embedded broker: filling it, blocking it, eavesdropping. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import mqtt, { type MqttClient } from 'mqtt';
import { generate } from 'mqtt-packet';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type BrokerLimit,
  type BrokerLimits,
  DEFAULT_BROKER_LIMITS,
  EmbeddedBroker,
  type EmbeddedBrokerOptions,
} from '../../src/adapter/message-link/index.js';
import { MessageBudget } from '../../src/adapter/d2c-receiver/index.js';
import { topicTemplate } from '../../src/contract/index.js';
import { eventually, startTestAdapter } from '../support/adapter.js';
import { vehicleOf } from '../support/messages.js';
import { connectVehicle } from '../support/mqtt-vehicle.js';

let broker: EmbeddedBroker;
let refused: BrokerLimit[];
/** By system_id; the broker notices a change as it does one of the registry. */
let identities: Map<string, string>;
let changed: string[];
let sockets: Socket[];
let clients: MqttClient[];

beforeEach(() => {
  refused = [];
  identities = new Map();
  changed = [];
  sockets = [];
  clients = [];
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const client of clients) client.end(true);
  await broker.close();
});

async function start(
  limits: Partial<BrokerLimits>,
  budget: Pick<EmbeddedBrokerOptions, 'budget' | 'onOverBudget'> = {},
): Promise<void> {
  broker = new EmbeddedBroker({
    host: '127.0.0.1',
    port: 0,
    c2dTopic: topicTemplate('c2d/{system_id}'),
    clock: Date.now,
    limits: { ...DEFAULT_BROKER_LIMITS, ...limits },
    onRefused: (limit) => refused.push(limit),
    ...budget,
    identities: {
      authenticate: (systemId) => Promise.resolve(identities.get(systemId)),
      identify: (systemId) => Promise.resolve(identities.get(systemId)),
      current: () => Promise.resolve(identities),
      changes: () => Promise.resolve({ systemIds: changed.splice(0), snapshot: '' }),
    },
  });
  await broker.open({
    onMessage: (message) => message.acknowledge(),
    backpressure: () => undefined,
    isAllStored: () => true,
    onVehicleConnected: () => undefined,
    onUp: () => undefined,
    onSubscribed: () => undefined,
    onProblem: () => undefined,
  });
}

function stranger(): Socket {
  const port = Number(broker.address.split(':')[1]);
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  socket.resume();
  sockets.push(socket);
  return socket;
}
const closed = (socket: Socket) =>
  new Promise<void>((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });

const closing = (client: MqttClient) =>
  new Promise<void>((resolve) => client.once('close', resolve));

async function vehicle(systemId: string, clean = false): Promise<MqttClient> {
  if (!identities.has(systemId)) identities.set(systemId, `identity of ${systemId}`);
  const client = await mqtt.connectAsync(`mqtt://${broker.address}`, {
    clientId: systemId,
    username: systemId,
    password: 'of no interest here',
    clean,
    reconnectPeriod: 0,
    protocolVersion: 4,
  });
  client.on('error', () => undefined);
  clients.push(client);
  return client;
}
const publish = (systemId: string, payload: string) =>
  broker.publish({ topic: `c2d/${systemId}`, payload: Buffer.from(payload) });

/** All messages in a vehicle's session, up to a sentinel that is published last. */
async function queued(systemId: string): Promise<string[]> {
  const arrived: string[] = [];
  const client = await mqtt.connectAsync(`mqtt://${broker.address}`, {
    clientId: systemId,
    username: systemId,
    password: 'of no interest here',
    clean: false,
    reconnectPeriod: 0,
    protocolVersion: 4,
    manualConnect: false,
  });
  clients.push(client);
  const done = new Promise<void>((resolve) => {
    client.on('message', (topic, payload) => {
      if (payload.toString() === 'sentinel') resolve();
      else arrived.push(`${topic} ${payload.toString()}`);
    });
  });
  await client.subscribeAsync(`c2d/${systemId}`, { qos: 1 });
  await publish(systemId, 'sentinel');
  await done;
  return arrived;
}

test('a silent connection is closed', async () => {
  await start({ connectSeconds: 1 });
  await closed(stranger());
  expect(refused).toEqual(['mqtt-slow-connect']);
});

test('a CONNECT that arrives byte by byte gets no more time', async () => {
  await start({ connectSeconds: 1 });
  const packet = generate({ cmd: 'connect', clientId: 'slow', keepalive: 60, clean: true });
  const socket = stranger();
  let sent = 0;
  const dripping = setInterval(() => socket.write(packet.subarray(sent, ++sent)), 200);
  await closed(socket);
  clearInterval(dripping);
  expect(sent).toBeLessThan(packet.length);
  expect(refused).toEqual(['mqtt-slow-connect']);
});

test('a CONNECT that announces too many bytes is rejected at once', async () => {
  await start({ connectSeconds: 600, connectBytes: 1_000 });
  const socket = stranger();
  const packet = generate({
    cmd: 'connect',
    clientId: 'large',
    keepalive: 60,
    clean: true,
    username: 'large',
    password: Buffer.alloc(60_000),
  });
  socket.write(packet.subarray(0, 100));
  await closed(socket);
  expect(refused).toEqual(['mqtt-connect-bytes']);
});

test('the oldest connection that has not signed in makes room for a new one', async () => {
  await start({ unauthenticated: 5, connectSeconds: 600 });
  const flood = Array.from({ length: 20 }, stranger);
  await Promise.all(flood.slice(0, 15).map(closed));
  const client = await vehicle('c2c-sys-1');
  expect(client.connected).toBe(true);
  expect(refused).toHaveLength(16);
  // A vehicle that has signed in no longer counts among them.
  Array.from({ length: 20 }, stranger);
  await client.publishAsync('d2c/c2c-sys-1', 'still here', { qos: 1 });
});

test('connections are limited in total, and per address if configured', async () => {
  await start({ connections: { inAll: 2, perAddress: 0 } });
  await vehicle('c2c-sys-1');
  await vehicle('c2c-sys-2');
  await closed(stranger());
  expect(refused).toEqual(['mqtt-connections']);
  await broker.close();

  refused = [];
  await start({ connections: { inAll: 100, perAddress: 2 } });
  const first = await vehicle('c2c-sys-1');
  await vehicle('c2c-sys-2');
  await closed(stranger());
  expect(refused).toEqual(['mqtt-connections-per-address']);
  // A closed connection makes room.
  await first.endAsync(true);
  await eventually(
    () => vehicle('c2c-sys-3').catch(() => undefined),
    (client) => client !== undefined,
  );
});

test('a client that also subscribes to topics of other vehicles receives none of their messages', async () => {
  await start({});
  const spy = await vehicle('c2c-sys-1');
  await vehicle('c2c-sys-2');
  await spy
    .subscribeAsync(['c2d/c2c-sys-1', 'c2d/c2c-sys-2', 'c2d/+', '#'], { qos: 1 })
    .catch(() => undefined);
  await publish('c2c-sys-2', 'not for the spy');
  await spy.endAsync(true);
  await publish('c2c-sys-2', 'not for the spy either');
  expect(await queued('c2c-sys-1')).toEqual([]);
});

test('a connection that keeps subscribing to other topics is closed', async () => {
  await start({});
  const client = await vehicle('c2c-sys-1');
  const topics = Array.from({ length: 10_000 }, (_, n) => `c2d/other-${n}`);
  const ended = closing(client);
  client.subscribe(topics, { qos: 1 }, () => undefined);
  await ended;
  expect(refused).toEqual(['mqtt-subscriptions']);
});

test('messages beyond a budget wait up to a limit, even if they arrive one by one', async () => {
  let held = 0;
  await start(
    {},
    {
      budget: new MessageBudget({ burst: 1, perHour: 1 }),
      onOverBudget: () => (held += 1),
    },
  );
  identities.set('c2c-sys-1', 'identity of c2c-sys-1');
  const socket = stranger().setNoDelay(true);
  const hello = { protocolId: 'MQTT', protocolVersion: 4, clean: true } as const;
  const user = { clientId: 'c2c-sys-1', username: 'c2c-sys-1', password: Buffer.from('x') };
  socket.write(generate({ cmd: 'connect', ...hello, ...user, keepalive: 0 }));
  await once(socket, 'data');
  const message = (messageId: number) =>
    generate({
      cmd: 'publish',
      topic: 'd2c/c2c-sys-1',
      payload: Buffer.alloc(16 * 1024),
      qos: 1,
      messageId,
      retain: false,
      dup: false,
    });
  // The first message is within the budget. Each further one is sent once the previous one waits.
  socket.write(message(1));
  await once(socket, 'data');
  for (let sent = 1; !socket.closed; sent++) {
    expect(sent).toBeLessThan(200);
    socket.write(message(sent + 1));
    await eventually(
      () => Promise.resolve(held >= sent || socket.closed),
      (isRead) => isRead,
    );
    if (refused.length > 0) await closed(socket);
  }
  expect(refused).toEqual(['mqtt-waiting']);
  // Those within 2 MiB, and the one that exceeds it.
  expect(held).toBe(128);
});

test('the queue of a vehicle that does not read keeps the newest messages', async () => {
  await start({ queue: 3 });
  const client = await vehicle('c2c-sys-1');
  await client.subscribeAsync('c2d/c2c-sys-1', { qos: 1 });
  await client.endAsync(true);
  for (const text of ['1', '2', '3', '4', '5']) await publish('c2c-sys-1', text);
  expect(refused).toEqual(['mqtt-queue', 'mqtt-queue']);
  const left = await queued('c2c-sys-1');
  expect(left).toHaveLength(3);
  // The first one may have been on its way when the connection ended.
  expect(left.slice(1)).toEqual(['c2d/c2c-sys-1 4', 'c2d/c2c-sys-1 5']);
});

test('queued messages are deleted when their system_id gets another identity', async () => {
  await start({});
  const client = await vehicle('c2c-sys-1');
  await client.subscribeAsync('c2d/c2c-sys-1', { qos: 1 });
  await client.endAsync(true);
  await publish('c2c-sys-1', 'for the vehicle before');
  // The system_id is assigned to another VIN, which connects before the change is noticed.
  identities.set('c2c-sys-1', 'another identity');
  expect(await queued('c2c-sys-1')).toEqual([]);
});

test('a deleted vehicle’s session is deleted too', async () => {
  await start({});
  const client = await vehicle('c2c-sys-1');
  await client.subscribeAsync('c2d/c2c-sys-1', { qos: 1 });
  await client.endAsync(true);
  await publish('c2c-sys-1', 'for the deleted vehicle');
  const sentinel = await vehicle('c2c-sys-2');
  identities.delete('c2c-sys-1');
  identities.delete('c2c-sys-2');
  const noticed = closing(sentinel);
  changed = ['c2c-sys-1', 'c2c-sys-2'];
  await noticed;
  // Registered again, even with the same identity.
  identities.set('c2c-sys-1', 'identity of c2c-sys-1');
  await eventually(
    () => queued('c2c-sys-1'),
    (messages) => messages.length === 0,
  );
});

test('the adapter counts the refusals of its broker', async () => {
  const t = await startTestAdapter({
    brokerLimits: { ...DEFAULT_BROKER_LIMITS, connections: { inAll: 1, perAddress: 0 } },
  });
  const one = vehicleOf(1, 'LMT');
  await t.register(one);
  const link = await connectVehicle(t.adapter.mqttUrl, one);
  const socket = connect(Number(new URL(t.adapter.mqttUrl).port), '127.0.0.1');
  await once(socket.on('error', () => undefined).resume(), 'close');
  const name = 'otaops_limit_refusals_total{limit="mqtt-connections"}';
  expect(await t.metric(name)).toBe(1);
  await link.end();
  await t.stop();
});
