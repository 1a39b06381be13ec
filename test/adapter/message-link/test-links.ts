/** Links to a private Mosquitto, for tests: each test has a system of its own. */
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { type Received } from '../../../src/adapter/d2c-receiver/index.js';
import {
  BrokerLink,
  type BrokerLinkOptions,
  type MessageLink,
} from '../../../src/adapter/message-link/index.js';
import { ADAPTER_SCHEMA } from '../../../src/adapter/schema.js';
import { parseBrokerUrl } from '../../../src/contract/index.js';
import { type Database, migrate, openPostgres } from '../../../src/service/database/index.js';
import { eventually } from '../../support/adapter.js';
import { emptyPostgresUrl } from '../../support/databases.js';
import { type Server, startMosquitto } from '../../support/servers.js';

interface Arrived extends Received {
  readonly isRepeated: boolean;
  readonly acknowledge: () => void;
}

/** A link whose messages the test acknowledges or not. */
export interface TestLink {
  readonly link: MessageLink;
  readonly arrived: Arrived[];
  readonly problems: Error[];
}

export interface TestLinkOptions extends Partial<BrokerLinkOptions> {
  readonly url?: string;
  readonly tls?: { ca?: string; cert?: string; key?: string };
  readonly acknowledges?: (received: Received) => boolean;
  /** Default: always. */
  readonly isAllStored?: () => boolean;
}

/**
 * Registers the hooks that start the broker, and give each test a system: its own group id, and hence its own session.
 *
 * @param settings further lines of the broker's configuration
 */
export function testLinks(settings: () => Promise<string> = () => Promise.resolve('')) {
  let database: Database;
  let broker: Server;
  const links: MessageLink[] = [];
  const clients: MqttClient[] = [];
  let instances = 0;

  beforeAll(async () => {
    broker = await startMosquitto(await settings());
  });
  beforeEach(async () => {
    database = await newSystem();
  });
  afterEach(async () => {
    for (const link of links.splice(0)) await link.close();
    for (const client of clients.splice(0)) await client.endAsync(true);
    await database.close();
  });
  afterAll(() => broker.stop());

  async function newSystem(): Promise<Database> {
    const made = openPostgres({ url: await emptyPostgresUrl() });
    await migrate(made, ADAPTER_SCHEMA);
    return made;
  }
  async function open({
    url,
    tls,
    acknowledges,
    isAllStored,
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
      isAllStored: isAllStored ?? (() => true),
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
  async function vehicle(url = broker.url, options: IClientOptions = {}): Promise<MqttClient> {
    const client = await mqtt.connectAsync(url, { ...options, reconnectPeriod: 0 });
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
  return {
    get database() {
      return database;
    },
    get broker() {
      return broker;
    },
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
  };
}
