/**
 * The audit log is complete: every route that changes something names its action and writes an entry, and refusals are
 * logged too. Real servers, real requests.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { ADAPTER_ROUTES, GRANTS } from '../../../src/contract/adapter-api/index.js';
import { CAROTA_GRANTS, CAROTA_ROUTES } from '../../../src/contract/carota-api/index.js';
import { ADAPTER_SCHEMA } from '../../../src/adapter/schema.js';
import { openPostgres } from '../../../src/service/database/index.js';
import { CONSOLE_HEADER, type Grants, pathOf, type Route } from '../../../src/contract/index.js';
import {
  type Answer,
  eventually,
  startTestAdapter,
  type TestAdapter,
} from '../../support/adapter.js';
import { newDatabase } from '../../support/databases.js';
import { byDepth, sampleOf } from '../../support/depth.js';
import { connectVehicle } from '../../support/mqtt-vehicle.js';
import {
  type AdapterDouble,
  eventOf,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from '../../carota/support/test-carota.js';

const VIN = '5YJSA1E40FF345678';
const SERVERS = [
  ['adapter', ADAPTER_ROUTES, GRANTS],
  ['carota', CAROTA_ROUTES, CAROTA_GRANTS],
] as const;

const changes = ({ method }: Route) => method !== 'GET' && method !== 'HEAD';

test.each(SERVERS)(
  'Every route of the %s that may change something declares its audit action',
  (_name, routes) => {
    for (const { id, method, audit, unaudited } of routes.filter(changes)) {
      expect(
        [audit, unaudited].filter((said) => said !== undefined),
        `${method} ${id}`,
      ).toHaveLength(1);
    }
  },
);

interface Server {
  call: TestAdapter['call'];
  readonly token: string;
  readonly url: string;
}
interface Request {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** null: no token. */
  readonly token?: string | null;
  /** The expected status; default: a success. */
  readonly status?: number;
}
type Recipe = Request | (() => Request | Promise<Request>);

const entriesOf = async (server: Pick<Server, 'call'>, query: string) =>
  (await server.call('GET', `/v1.0/audit?limit=1000&${query}`)).body.items as any[];

/** Sends it, and returns the new entries of this action in the audit log. */
async function audited(
  server: Server,
  route: Route,
  recipe: Recipe,
): Promise<{ answer: Answer; entries: any[] }> {
  const request = typeof recipe === 'function' ? await recipe() : recipe;
  const query = `action=${route.audit}&outcome=done`;
  const before = (await entriesOf(server, query)).length;
  const path = pathOf(route, request.params) + (request.query ?? '');
  const { token, headers = {}, body } = request;
  if (route.answer.kind === 'stream') {
    const response = await fetch(server.url + path, {
      headers: { 'authorization-token': server.token },
    });
    await response.text();
    const answer = { status: response.status, headers: response.headers, body: '' };
    const grown = await eventually(
      () => entriesOf(server, query),
      (found) => found.length > before,
    );
    return { answer, entries: grown.slice(0, grown.length - before) };
  }
  const answer = await server.call(route.method, path, {
    ...(token === undefined ? {} : { token }),
    headers,
    ...(body === undefined ? {} : { body }),
  });
  const all = await entriesOf(server, query);
  return { answer, entries: all.slice(0, all.length - before) };
}

async function expectComplete(
  server: Server,
  routes: readonly Route[],
  recipes: Readonly<Record<string, Recipe>>,
  elsewhere: Readonly<Record<string, string>>,
): Promise<void> {
  const auditedRoutes = routes.filter(({ audit }) => audit !== undefined);
  const named = new Set(auditedRoutes.map(({ id }) => id));
  expect(
    [...Object.keys(recipes), ...Object.keys(elsewhere)].filter((id) => !named.has(id)),
  ).toEqual([]);
  const unshown = auditedRoutes.filter(({ id }) => !(id in recipes) && !(id in elsewhere));
  expect(
    unshown.map(({ id }) => id),
    'routes that no request here shows',
  ).toEqual([]);
  // In the order of the recipes, as each builds on the previous ones.
  for (const [id, recipe] of Object.entries(recipes)) {
    const route = auditedRoutes.find((candidate) => candidate.id === id);
    if (!route) throw new Error(id);
    const { answer, entries } = await audited(server, route, recipe);
    expect(answer.status, `${id}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
    expect(entries.length, `${id} wrote no entry ${route.audit}`).toBeGreaterThan(0);
    expect(entries[0], id).toMatchObject({
      address: '127.0.0.1',
      outcome: 'done',
      errorCode: null,
    });
    const isOpen = id === 'signOut';
    if (!isOpen) expect(entries[0].tokenName, id).not.toBe('');
  }
  const { body } = await server.call('GET', '/v1.0/audit/verification');
  expect(body).toMatchObject({ intact: true, faults: [] });
}

/** Calls each route with every role that may not: it is refused, and logged with who, from where and what. */
async function expectRefusalsNoted(
  server: Server,
  routes: readonly Route[],
  grants: Grants,
): Promise<void> {
  const noted: [role: string, action: string][] = [];
  for (const role of Object.keys(grants)) {
    const vin = role === 'vehicle' ? { vin: VIN } : {};
    const made = await server.call('POST', '/v1.0/tokens', {
      body: { name: `a ${role}`, role, ...vin },
    });
    const { token } = made.body;
    for (const route of sampleOf(routes, 3)) {
      const { permission } = route;
      if (permission === 'open' || permission === 'any' || grants[role]?.includes(permission))
        continue;
      const params = Object.fromEntries(
        [...route.path.matchAll(/\{([\w-]+)\}/g)].map(([, name = '']) => [
          name,
          'x\u0000%/\u{1F600}',
        ]),
      );
      const { status, body } = await server.call(route.method, pathOf(route, params), { token });
      expect([status, body === '' ? 'FORBIDDEN' : body.errorCode], `${role} ${route.id}`).toEqual([
        403,
        'FORBIDDEN',
      ]);
      noted.push([`a ${role}`, route.audit ?? route.id]);
    }
  }
  expect(noted.length).toBeGreaterThan(byDepth({ quick: 12, full: 40 }));
  const missing = await eventually(
    async () => {
      const all = await entriesOf(server, 'outcome=refused');
      const known = new Set(
        all
          .filter(({ address, errorCode }) => address === '127.0.0.1' && errorCode === 'FORBIDDEN')
          .map(({ tokenName, action }) => `${tokenName} ${action}`),
      );
      return noted.map((entry) => entry.join(' ')).filter((entry) => !known.has(entry));
    },
    (left) => left.length === 0,
  );
  expect(missing).toEqual([]);
}

const NDJSON = { 'content-type': 'application/x-ndjson' };
const IN_BROWSER = { [CONSOLE_HEADER]: '1' };

describe('The OTA Adapter', () => {
  let t: TestAdapter;
  const vehicle = { vin: VIN, systemId: 'c2c-sys-audited' };
  const other = '5YJSA1E40FF345679';
  beforeAll(async () => {
    t = await startTestAdapter();
    await t.register(vehicle);
  });
  afterAll(() => t.stop());

  it('records every action', async () => {
    const params = { 'ref-id': 'audited' };
    const registration = {
      system_id: 'c2c-sys-x',
      device_id: 'd',
      ecu_type: 'TCU',
      credential: 'a secret of the vehicle',
    };
    const pattern = 'https://93.184.216.34/events';
    const receiver = async () =>
      (await t.call('GET', '/v1.0/callbacks')).body.items[0].id as string;
    const letter = async () =>
      (await t.call('GET', '/v1.0/dead-letters')).body.items[0].id as string;
    let tokenId = '';
    const link = await connectVehicle(t.adapter.mqttUrl, vehicle);
    await link.send('no envelope');
    await eventually(
      async () => (await t.call('GET', '/v1.0/dead-letters')).body.items,
      (items) => items.length > 0,
    );
    await link.end();
    await expectComplete(
      { ...t, url: t.adapter.httpUrl },
      ADAPTER_ROUTES,
      {
        trigger: {
          body: {
            time: 1625660275379,
            version: 'v1',
            body: { model: MODEL, 'ref-id': 'audited', 'script-ref-id': 's', vins: [VIN] },
          },
        },
        pauseOperation: { params, body: { reason: 'why not' } },
        resumeOperation: { params },
        changeOperation: { params, body: { priority: 2 } },
        retriggerVehicle: { params: { ...params, vin: VIN } },
        retriggerVehicles: { params, body: { state: 'pending' } },
        cancelOperation: { params },
        changeDispatch: { body: { triggersPerSecond: 0.5 } },
        exportVehicles: { params },
        addReceiver: { body: { name: 'r', url: pattern } },
        changeReceiver: async () => ({
          params: { id: await receiver() },
          body: { enabled: false },
        }),
        replayEvents: async () => ({ params: { id: await receiver() }, body: { after: 0 } }),
        removeReceiver: async () => ({ params: { id: await receiver() } }),
        registerVehicle: { params: { vin: other }, body: registration },
        importVehicles: { headers: NDJSON, body: JSON.stringify({ vin: other, ...registration }) },
        deleteRegistration: { params: { vin: other } },
        replayDeadLetter: async () => ({ params: { id: await letter() } }),
        replayDeadLetters: { body: { filter: {} } },
        revokeCertificate: { params: { serial: '1f' }, body: { reason: 'lost' } },
        createToken: { body: { role: 'viewer', name: 'v' } },
        rotateToken: async () => {
          const { body } = await t.call('POST', '/v1.0/tokens', {
            body: { role: 'viewer', name: 'old' },
          });
          return { params: { id: body.id } };
        },
        revokeToken: async () => {
          tokenId = (await t.call('GET', '/v1.0/tokens')).body.items.at(-1).id;
          return { params: { id: tokenId } };
        },
        signIn: () => ({ token: null, headers: IN_BROWSER, body: { token: t.token } }),
        signOut: { token: null, headers: IN_BROWSER },
        exportAudit: {},
      },
      { takeLogoutToken: 'test/service/sign-on/back-channel-logout.test.ts' },
    );
    const all = JSON.stringify(await entriesOf(t, ''));
    expect(all).not.toContain(t.token);
    expect(all).not.toContain('a secret of the vehicle');
    const [revoked] = await entriesOf(t, `subject=${tokenId}`);
    expect(revoked).toMatchObject({ action: 'revoke-token', tokenName: 'initial admin' });
    const [paused] = await entriesOf(t, 'action=pause');
    expect(paused).toMatchObject({
      'ref-id': 'audited',
      reason: 'why not',
      tokenName: 'initial admin',
    });
  });

  it(
    'records who was refused',
    () => expectRefusalsNoted({ ...t, url: t.adapter.httpUrl }, ADAPTER_ROUTES, GRANTS),
    60_000,
  );

  it('records a conflict, but not an action that did not happen', async () => {
    const answer = await t.call('POST', '/v1.0/ota/operations/audited/pause');
    expect(answer.status).toBe(409);
    await eventually(
      () => entriesOf(t, 'action=pause&outcome=refused&subject=audited'),
      (entries) => entries.some(({ errorCode }) => errorCode === 'OPERATION_CANCELLED'),
    );
    expect(await entriesOf(t, 'action=pause&outcome=done')).toHaveLength(1);
  });

  it('counts any number of wrong tokens and credentials, by address and name', async () => {
    for (let n = 0; n < 50; n += 1) {
      await t.call('GET', '/v1.0/vehicles', { token: `wrong ${n % 7}` });
    }
    for (let n = 0; n < 3; n += 1) {
      await expect(
        connectVehicle(t.adapter.mqttUrl, vehicle, { credential: `wrong ${n}` }),
      ).rejects.toThrow();
    }
    const failed = await eventually(
      () => entriesOf(t, 'action=sign-in&outcome=refused'),
      (entries) =>
        ['token', 'vehicle'].every((kind) => entries.some(({ subject }) => subject === kind)),
    );
    expect(failed.length).toBeLessThan(10);
    expect(failed.find(({ subject }) => subject === 'vehicle')).toMatchObject({
      address: '127.0.0.1',
      detail: { names: [vehicle.systemId] },
    });
  });

  it('records its start, with settings but without secrets', async () => {
    const [start] = await entriesOf(t, 'action=start');
    expect(start).toMatchObject({
      tokenId: '',
      tokenName: 'server',
      detail: { settings: { host: '127.0.0.1' } },
    });
    expect(start.detail.settings.databaseUrl).not.toMatch(/@/);
  });
});

describe('The CarOTA Server', () => {
  let adapter: AdapterDouble;
  let t: TestCarota;
  beforeAll(async () => {
    adapter = await startAdapterDouble();
    t = await startTestCarota(adapter.url, { approval: 'anyone' });
  });
  afterAll(async () => {
    await t.stop();
    await adapter.stop();
  });

  it('records every action', async () => {
    const bytes = Buffer.from('software');
    const digestOf = (name: string, bits: Buffer) => createHash(name).update(bits).digest('hex');
    const artifact = {
      sha256: digestOf('sha256', bytes),
      md5: digestOf('md5', bytes),
      size: bytes.length,
    };
    const script = {
      version: 'v1',
      'script-ref-id': 's',
      model: MODEL,
      ecus: [{ ecu: 'HU', version: '2.0.0', artifact }],
    };
    const params = { 'ref-id': 'audited' };
    const approve = async (path: string, field: string) => ({
      digest: (await t.call('GET', path)).body[field] as string,
    });
    await t.callBack([
      { ...eventOf({ refId: 'unknown', vin: '5YJSA1E40FF345670', status: 'success' }), status: -1 },
    ]);
    const rule = async () =>
      (await t.call('GET', '/v1.0/notification-rules')).body.items[0].id as string;
    const refused = async () =>
      (await t.call('GET', '/v1.0/refused-events')).body.items[0].id as string;
    await t.call('PUT', '/v1.0/vehicles/5YJSA1E40FF345679', {
      body: { model: MODEL, system_id: 'c2c-sys-enrolled' },
    });
    await expectComplete(
      { ...t, url: t.carota.httpUrl },
      CAROTA_ROUTES,
      {
        uploadArtifact: { headers: { 'content-type': 'application/octet-stream' }, body: bytes },
        publishScript: { body: script },
        approveScript: async () => ({
          params: { 'script-ref-id': 's' },
          body: await approve('/v1.0/update-scripts/s', 'sha256'),
        }),
        putVehicle: { params: { vin: VIN }, body: { model: MODEL } },
        importVehicles: { headers: NDJSON, body: JSON.stringify({ vin: VIN, model: MODEL }) },
        createSchedule: {
          body: {
            'ref-id': 'audited',
            'script-ref-id': 's',
            model: MODEL,
            vins: [VIN],
          },
        },
        addScheduleVehicles: {
          params,
          headers: NDJSON,
          body: JSON.stringify({ vin: '5YJSA1E40FF345679' }),
        },
        approveSchedule: async () => ({
          params,
          body: await approve('/v1.0/schedules/audited', 'digest'),
        }),
        pauseSchedule: async () => {
          await eventually(
            async () => (await t.call('GET', '/v1.0/schedules/audited')).body.status,
            (status) => status === 'running',
          );
          return { params, body: { reason: 'why not' } };
        },
        resumeSchedule: { params },
        stopSchedule: { params },
        getDossier: { params },
        eraseVehicle: { params: { vin: VIN } },
        replayRefusedEvent: async () => ({ params: { id: await refused() } }),
        replayRefusedEvents: { body: { filter: {} } },
        revokeCertificate: { params: { serial: '1f' }, body: { reason: 'lost' } },
        createEnrolmentCode: { params: { vin: '5YJSA1E40FF345679' } },
        addNotificationRule: {
          body: { name: 'n', events: ['stop'], channel: 'webhook', url: 'https://93.184.216.34/n' },
        },
        changeNotificationRule: async () => ({
          params: { id: await rule() },
          body: { enabled: false },
        }),
        testNotificationRule: async () => ({ params: { id: await rule() } }),
        removeNotificationRule: async () => ({ params: { id: await rule() } }),
        createToken: { body: { role: 'viewer', name: 'v' } },
        rotateToken: async () => {
          const { body } = await t.call('POST', '/v1.0/tokens', {
            body: { role: 'viewer', name: 'old' },
          });
          return { params: { id: body.id } };
        },
        revokeToken: async () => ({
          params: { id: (await t.call('GET', '/v1.0/tokens')).body.items.at(-1).id },
        }),
        signIn: () => ({ token: null, headers: IN_BROWSER, body: { token: t.token } }),
        signOut: { token: null, headers: IN_BROWSER },
        exportAudit: {},
        deleteScript: async () => {
          await t.call('POST', '/v1.0/update-scripts', {
            body: { ...script, 'script-ref-id': 'unused' },
          });
          return { params: { 'script-ref-id': 'unused' } };
        },
        deleteArtifact: async () => ({
          params: { sha256: (await t.upload(Buffer.from('unused'))).sha256 },
        }),
      },
      {
        continueSchedule: 'the same code as resumeSchedule: one loop over four actions',
        takeLogoutToken: 'test/service/sign-on/back-channel-logout.test.ts',
        putEcus: 'test/carota/manifests.test.ts',
        replaceEcu: 'test/carota/manifests.test.ts',
        importEcus: 'test/carota/ecus.test.ts',
        deliver: 'test/carota/deliveries.test.ts',
        uploadDeliveredImage: 'test/carota/deliveries.test.ts',
      },
    );
    expect(JSON.stringify(await entriesOf(t, ''))).not.toContain(t.token);
  });

  it(
    'records who was refused',
    () => expectRefusalsNoted({ ...t, url: t.carota.httpUrl }, CAROTA_ROUTES, CAROTA_GRANTS),
    60_000,
  );
});

describe('An action without its audit entry is not carried out', () => {
  it('if the database’s disk is full', async () => {
    const { url, drop } = await newDatabase(ADAPTER_SCHEMA);
    const t = await startTestAdapter({ databaseUrl: url });
    await t.register({ vin: VIN, systemId: 'c2c-sys-audited' });
    await t.trigger('op', [VIN]);
    const other = await t.tokenFor('viewer');
    const [, { id }] = (await t.call('GET', '/v1.0/tokens')).body.items;
    const database = openPostgres({ url });
    await database.script(`
      create function disk_is_full() returns trigger language plpgsql as
        $$ begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$;
      create trigger disk_is_full before insert on audit.entries
        for each statement execute function disk_is_full()`);
    const registration = { system_id: 'c2c-sys-2', device_id: 'd', ecu_type: 'TCU' };
    const attempts: [string, string, unknown?][] = [
      ['POST', '/v1.0/tokens', { role: 'admin', name: 'unseen' }],
      ['DELETE', `/v1.0/tokens/${id}`],
      ['PUT', '/v1.0/vehicles/5YJSA1E40FF345679', registration],
      ['DELETE', `/v1.0/vehicles/${VIN}`],
      ['POST', '/v1.0/ota/operations/op/pause'],
      ['POST', '/v1.0/ota/operations/op/cancel'],
      ['PATCH', '/v1.0/ota/operations/op', { priority: 9 }],
      ['PUT', '/v1.0/dispatch', { triggersPerSecond: 7 }],
      ['POST', '/v1.0/callbacks', { name: 'r', url: 'https://93.184.216.34/events' }],
    ];
    for (const [method, path, body] of attempts) {
      const { status } = await t.call(method, path, { ...(body === undefined ? {} : { body }) });
      expect(status, `${method} ${path}`).toBe(503);
    }
    expect((await t.trigger('unseen', [VIN])).status).toBe(503);
    const registering = JSON.stringify({ vin: '5YJSA1E40FF345679', ...registration });
    const imported = await t.call('POST', '/v1.0/vehicles/import', {
      headers: NDJSON,
      body: registering,
    });
    expect(imported.status).toBe(503);

    await database.script('drop trigger disk_is_full on audit.entries');
    const tokens = (await t.call('GET', '/v1.0/tokens')).body.items;
    expect(tokens.map(({ name }: any) => name)).toEqual(['initial admin', 'test viewer']);
    expect((await t.call('GET', '/v1.0/vehicles', { token: other })).body.items).toHaveLength(1);
    const operations = (await t.call('GET', '/v1.0/ota/operations')).body.items;
    expect(operations).toMatchObject([{ 'ref-id': 'op', status: 'active', priority: 0 }]);
    expect((await t.call('GET', '/v1.0/dispatch')).body.triggersPerSecond).not.toBe(7);
    expect((await t.call('GET', '/v1.0/callbacks')).body.items).toEqual([]);
    await database.close();
    await t.stop();
    await drop();
  });
});
