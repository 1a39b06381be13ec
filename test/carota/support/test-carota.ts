/** A CarOTA Server in this process, and an adapter that records its requests. */
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import pino from 'pino';
import { Webhook } from 'standardwebhooks';
import { type Carota, type CarotaSettings, startCarota } from '../../../src/carota/index.js';
import {
  type CarOtaServerEvent,
  EVENT_STATUS,
  type EventStatusName,
} from '../../../src/contract/index.js';
import { CAROTA_ROUTES } from '../../../src/contract/carota-api/index.js';
import { httpClient } from '../../support/adapter.js';
import { expectAsContracted } from '../../support/conformance.js';
import { CAROTA_SCHEMA } from '../../../src/carota/schema.js';
import { newDatabase, type TestDatabase } from '../../support/databases.js';
import { SECRET_KEY } from '../../support/secret-key.js';
import { temporaryDirectory } from '../../support/servers.js';

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
export const MODEL = 'vehicle model a';

/** An adapter that has only the contract's trigger API. */
export interface AdapterDouble {
  readonly url: string;
  readonly triggers: CarOtaServerEvent['body'][];
  /** e.g. `pause schedule 1` */
  readonly controls: string[];
  /** The status it answers; `hang`: it does not answer. */
  answer: number | 'hang';
  /** Newest attempt, by operation and VIN; 1 if not listed. */
  readonly attempts: Map<string, number>;
  /** Vehicles that are no longer in an operation, as `<ref-id> <vin>`. */
  readonly gone: Set<string>;
  /** Whether its answers to retriggers are lost. */
  losesRetriggers: boolean;
  /** Called before each retrigger is answered. */
  onRetrigger: () => unknown;
  /** Called before each query of a vehicle's attempt is answered. */
  onAttemptAsked: () => unknown;
  /** Unregistered VINs. */
  readonly unknown: Set<string>;
  /** Called before each trigger is answered. */
  onTrigger: () => void | Promise<void>;
  stop(): Promise<void>;
}

const NOT_IN_OPERATION = {
  title: 'vehicle not in operation',
  errorCode: 'VEHICLE_NOT_IN_OPERATION',
  errorMessage: 'the operation has no such vehicle',
};

export async function startAdapterDouble(): Promise<AdapterDouble> {
  const seen = new Set<string>();
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const answer = async () => {
      if (double.answer === 'hang') return;
      const path = decodeURIComponent(request.url ?? '');
      const [, operation = '', vin, retrigger] =
        /^\/v1\.0\/ota\/operations\/(.+)\/vehicles\/(\w{17})(\/retrigger)?$/.exec(path) ?? [];
      if (vin !== undefined) {
        const key = `${operation} ${vin}`;
        if (double.answer !== 202) return void response.writeHead(double.answer).end('{}');
        if (double.gone.has(key)) {
          response.writeHead(404, { 'content-type': 'application/problem+json' });
          response.end(JSON.stringify({ status: 404, ...NOT_IN_OPERATION }));
          return;
        }
        if (retrigger !== undefined) {
          double.attempts.set(key, (double.attempts.get(key) ?? 1) + 1);
          double.controls.push(`retrigger ${key}`);
          await double.onRetrigger();
          if (double.losesRetriggers) return void response.destroy();
        }
        if (retrigger === undefined) await double.onAttemptAsked();
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ attempt: double.attempts.get(key) ?? 1 }));
        return;
      }
      const [, refId, action] = /^\/v1\.0\/ota\/operations\/(.+)\/(\w+)$/.exec(path) ?? [];
      if (refId !== undefined) {
        if (double.answer === 202) double.controls.push(`${action} ${refId}`);
        response.writeHead(double.answer === 202 ? 200 : double.answer).end('{}');
        return;
      }
      const { body } = JSON.parse(text) as CarOtaServerEvent;
      await double.onTrigger();
      if (double.answer === 202) double.triggers.push(body);
      const rejected = body.vins.filter((vin) => double.unknown.has(vin));
      const fresh = body.vins.filter((vin) => !seen.has(`${body['ref-id']} ${vin}`));
      for (const vin of fresh) seen.add(`${body['ref-id']} ${vin}`);
      response.writeHead(double.answer, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({
          'ref-id': body['ref-id'],
          accepted: fresh.length - rejected.length,
          rejectedCount: rejected.length,
          rejected: rejected.map((vin) => ({ vin, errorCode: 'DEVICE_NOT_FOUND' })),
        }),
      );
    };
    request.on('end', () => void answer());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const double: AdapterDouble = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    triggers: [],
    controls: [],
    answer: 202,
    attempts: new Map(),
    gone: new Set(),
    losesRetriggers: false,
    onRetrigger: () => undefined,
    onAttemptAsked: () => undefined,
    unknown: new Set(),
    onTrigger: () => undefined,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return double;
}

export interface CarotaEvent {
  readonly refId: string;
  readonly vin: string;
  readonly status: EventStatusName;
  readonly meta?: { key: string; value: string }[];
  readonly id?: string;
  readonly at?: number;
}

let events = 0;

export const eventOf = ({ refId, vin, status, meta = [], id, at }: CarotaEvent) => ({
  'event-id': id ?? `evt-${++events}`,
  'ref-id': refId,
  vin,
  device_id: 'device1234',
  device_type: 'TCU',
  status: EVENT_STATUS[status],
  'status-name': status,
  meta,
  timestamp: at ?? Date.now() + ++events,
  'received-at': Date.now(),
});

export interface TestCarota {
  readonly carota: Carota;
  readonly dataDir: string;
  readonly databaseUrl: string;
  readonly token: string;
  readonly call: ReturnType<typeof httpClient>['call'];
  /** Posts a signed call-back. */
  callBack(events: readonly object[], secret?: string): Promise<{ status: number; body: any }>;
  /** The same with any text as body. */
  callBackText(body: string, secret?: string): Promise<{ status: number; body: any }>;
  upload(bytes: Buffer): Promise<{ sha256: string; md5: string; size: number; url: string }>;
  /** Publishes an update of ECU HU. */
  publish(scriptRefId: string, version?: string): Promise<void>;
  stop(keepData?: boolean): Promise<void>;
}

/** By data directory, so that a later start there finds the stored data. */
const databases = new Map<string, TestDatabase>();

/**
 * On a new database, or that of another server; `databaseUrl: undefined` for the embedded one.
 *
 * @param settings `tokenOf`: a token that is already in the database
 */
export async function startTestCarota(
  adapterUrl: string,
  { tokenOf, ...settings }: Partial<CarotaSettings> & { readonly tokenOf?: string } = {},
): Promise<TestCarota> {
  const dataDir = settings.dataDir ?? temporaryDirectory('carota');
  const database = settings.databaseUrl
    ? { url: settings.databaseUrl, drop: () => Promise.resolve() }
    : (databases.get(dataDir) ?? (await newDatabase(CAROTA_SCHEMA)));
  databases.set(dataDir, database);
  const carota = await startCarota(
    {
      databaseUrl: database.url,
      host: '127.0.0.1',
      httpPort: 0,
      adapterUrl,
      adapterToken: 'token',
      callbackSecrets: [SECRET],
      secretKeys: [SECRET_KEY],
      ...settings,
      dataDir,
    },
    pino({ level: process.env.TEST_LOG_LEVEL ?? 'silent' }),
  );
  const token = tokenOf ?? readFileSync(carota.tokenFile, 'utf8').trim();
  const http = httpClient(carota.httpUrl, token);
  const call: TestCarota['call'] = async (method, path, options) => {
    const answer = await http.call(method, path, options);
    expectAsContracted(CAROTA_ROUTES, method, path, answer);
    return answer;
  };
  const upload: TestCarota['upload'] = async (bytes) => {
    const { body } = await call('POST', '/v1.0/artifacts?name=test', {
      headers: { 'content-type': 'application/octet-stream' },
      body: bytes,
    });
    return body;
  };
  const callBackText: TestCarota['callBackText'] = (body, secret = SECRET) => {
    const id = `batch-${++events}`;
    const now = new Date();
    return call('POST', '/v1.0/ota/events', {
      token: null,
      headers: {
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
        'webhook-signature': new Webhook(secret).sign(id, now, body),
      },
      body,
    });
  };
  return {
    carota,
    dataDir,
    databaseUrl: database.url,
    token,
    call,
    callBack: (all, secret) =>
      callBackText(
        JSON.stringify({ time: Date.now(), version: 'v1', body: { events: all } }),
        secret,
      ),
    callBackText,
    upload,
    async publish(scriptRefId, version = '1.1.0') {
      const { sha256, md5, size } = await upload(Buffer.from(`software ${version}`));
      const { status, body } = await call('POST', '/v1.0/update-scripts', {
        body: {
          version: 'v1',
          'script-ref-id': scriptRefId,
          model: MODEL,
          ecus: [{ ecu: 'HU', version, artifact: { sha256, md5, size } }],
        },
      });
      if (status !== 201) throw new Error(JSON.stringify(body));
    },
    async stop(keepData = false) {
      await carota.stop();
      if (keepData) return;
      await database.drop();
      databases.delete(dataDir);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
