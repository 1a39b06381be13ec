/** An adapter in this process, with embedded broker, its own database and data directory, and free ports. */
import { readFileSync, rmSync } from 'node:fs';
import pino from 'pino';
import { type Adapter, startAdapter, type AdapterSettings } from '../../src/adapter/index.js';
import { ADAPTER_ROUTES } from '../../src/contract/adapter-api/index.js';
import { expectAsContracted } from './conformance.js';
import { type TestVehicle } from './messages.js';
import { ADAPTER_SCHEMA } from '../../src/adapter/schema.js';
import { hasMosquitto, newDatabase } from './databases.js';
import { sampleOf } from './depth.js';
import { SECRET_KEY } from './secret-key.js';
import { startMosquitto, temporaryDirectory } from './servers.js';

/** The actor when a test calls a control function directly. */
export const TESTER = { id: 'test', name: 'test', reason: '' };

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Tests access answers without types.
  readonly body: any;
}

interface CallOptions {
  readonly token?: string | null;
  readonly headers?: Record<string, string>;
  /** Text and bytes are sent unchanged, anything else as JSON. */
  readonly body?: unknown;
}

export interface TestAdapter {
  readonly adapter: Adapter;
  readonly token: string;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Registers vehicles; their credential is `credential-of-<vin>`. */
  register(...vehicles: TestVehicle[]): Promise<void>;
  trigger(refId: string, vins: string[]): Promise<Answer>;
  metric(name: string): Promise<number>;
  /** Applied + duplicates + dead letters, checked to equal the messages received. */
  storedMessages(): Promise<number>;
  /** A token with another role. */
  tokenFor(role: string): Promise<string>;
  /**
   * Call after each message of a vehicle. PUBACK of the embedded broker means that it is
   * stored; where another broker acknowledges, this waits until the adapter has stored it.
   */
  stored(): Promise<void>;
  stop(): Promise<void>;
}

/** The broker of an adapter. */
export interface Platform {
  readonly name: string;
  readonly isEmbedded: boolean;
  start(settings?: Partial<AdapterSettings>): Promise<TestAdapter>;
}

/** The embedded broker, and Mosquitto if installed. */
export function platforms(): Platform[] {
  const embedded = { name: 'the embedded broker', isEmbedded: true, start: startTestAdapter };
  const real = {
    name: 'Mosquitto',
    isEmbedded: false,
    start: startOnMosquitto,
  };
  return hasMosquitto() ? [embedded, real] : [embedded];
}

/** For tests that hardly depend on the broker: in a quick run one of the brokers, chosen by the seed. */
export function platformsInTurn(): Platform[] {
  const all = platforms();
  return all.length === 1 ? all : [...sampleOf(all, 2)];
}

async function startOnMosquitto(settings: Partial<AdapterSettings> = {}): Promise<TestAdapter> {
  const broker = await startMosquitto();
  const test = await startTestAdapter({ ...settings, mqttUrl: broker.url });
  await eventually(
    async () => (await test.call('GET', '/readyz')).status,
    (status) => status === 200,
  );
  let sent = 0;
  return {
    ...test,
    async stored() {
      sent += 1;
      await eventually(
        () => test.metric('otaops_messages_received_total'),
        (received) => received >= sent,
      );
    },
    async stop() {
      await test.stop();
      await broker.stop();
    },
  };
}

export const credentialOf = (vin: string) => `credential-of-${vin}`;

export async function startTestAdapter(
  settings: Partial<AdapterSettings> = {},
): Promise<TestAdapter> {
  const dataDir = temporaryDirectory('adapter');
  const { url: databaseUrl, drop } = await newDatabase(ADAPTER_SCHEMA);
  const adapter = await startAdapter(
    {
      ...{ host: '127.0.0.1', httpPort: 0, mqttPort: 0 },
      ...{ dataDir, databaseUrl, secretKeys: [SECRET_KEY] },
      ...settings,
    },
    pino({ level: process.env.TEST_LOG_LEVEL ?? 'silent' }),
  );
  const token = readFileSync(adapter.tokenFile, 'utf8').trim();
  const test = httpClient(adapter.httpUrl, token);
  return {
    ...test,
    async call(method, path, options) {
      const answer = await test.call(method, path, options);
      expectAsContracted(ADAPTER_ROUTES, method, path, answer);
      return answer;
    },
    adapter,
    token,
    stored: () => Promise.resolve(),
    async stop() {
      await adapter.stop();
      await drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** HTTP access to an adapter for tests. */
export function httpClient(httpUrl: string, token: string) {
  const call: TestAdapter['call'] = async (method, path, options = {}) => {
    const { body } = options;
    const raw = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
    const response = await fetch(httpUrl + path, {
      method,
      headers: {
        ...(options.token === null ? {} : { 'authorization-token': options.token ?? token }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(body === undefined
        ? {}
        : { body: raw ? (body as string | Uint8Array<ArrayBuffer>) : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = (response.headers.get('content-type') ?? '').includes('json');
    return {
      status: response.status,
      headers: response.headers,
      body: isJson && text !== '' ? (JSON.parse(text) as unknown) : text,
    };
  };
  const metric = async (name: string) => {
    const text = String((await call('GET', '/metrics')).body);
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
    if (line === undefined) throw new Error(`no metric ${name}`);
    return Number(line.slice(name.length));
  };
  return {
    call,
    metric,
    async register(...vehicles: TestVehicle[]) {
      const lines = vehicles.map(({ vin, systemId }) =>
        JSON.stringify({
          vin,
          system_id: systemId,
          device_id: 'device1234',
          ecu_type: 'TCU',
          credential: credentialOf(vin),
        }),
      );
      const { status, body } = await call('POST', '/v1.0/vehicles/import', {
        headers: { 'content-type': 'application/x-ndjson' },
        body: lines.join('\n'),
      });
      if (status !== 200 || body.rejectedCount > 0) throw new Error(JSON.stringify(body));
    },
    trigger: (refId: string, vins: string[]) =>
      call('POST', '/v1.0/ota/trigger', { body: triggerEvent(refId, vins) }),
    async storedMessages() {
      const text = String((await call('GET', '/metrics')).body);
      const value = (name: string) =>
        Number(new RegExp(`^otaops_messages_${name}_total (\\d+)$`, 'm').exec(text)?.[1]);
      const stored = value('applied') + value('duplicate') + value('dead_letter');
      if (stored !== value('received')) throw new Error(`received is not ${stored}:\n${text}`);
      return stored;
    },
    async tokenFor(role: string) {
      const { body } = await call('POST', '/v1.0/tokens', { body: { role, name: `test ${role}` } });
      return (body as { token: string }).token;
    },
  };
}

export const triggerEvent = (refId: string, vins: string[]) => ({
  time: 1625660275379,
  version: 'v1',
  body: { model: 'vehicle model a', 'ref-id': refId, 'script-ref-id': 'hu only 001', vins },
});

/**
 * Polls until the answer satisfies a condition; fails with the last answer after 45 s, enough for a busy machine. The
 * pauses grow to a tenth of the wait: at a fixed 20 ms, polls would be most of the cost of tests with many processes.
 */
export async function eventually<T>(
  ask: () => Promise<T>,
  satisfied: (answer: T) => boolean,
  withinMs = 45_000,
): Promise<T> {
  const from = performance.now();
  for (;;) {
    const answer = await ask();
    if (satisfied(answer)) return answer;
    const waitedMs = performance.now() - from;
    if (waitedMs > withinMs)
      throw new Error(`condition not met, last answer: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, Math.min(Math.max(waitedMs / 10, 20), 500)));
  }
}
