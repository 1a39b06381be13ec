/**
 * An attacker has a copy of a running server's database: every row of every table as text. It contains none of the
 * secrets that the server received or generated, neither in plain text nor as bytes or base64.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADAPTER_SCHEMA } from '../../../src/adapter/schema.js';
import { CONSOLE_HEADER } from '../../../src/contract/index.js';
import { derivedKeys } from '../../../src/service/secrets/index.js';
import { MODEL, startTestCarota } from '../../carota/support/test-carota.js';
import { type Answer, startTestAdapter } from '../../support/adapter.js';
import { newDatabase } from '../../support/databases.js';
import { sampleOf } from '../../support/depth.js';
import { vinOf } from '../../support/messages.js';
import { OpensslAuthority } from '../../support/openssl-authority.js';
import { SECRET_KEY } from '../../support/secret-key.js';
import { temporaryDirectory } from '../../support/servers.js';

type Call = (
  method: string,
  path: string,
  options?: { readonly token?: null; readonly headers?: Record<string, string>; body?: unknown },
) => Promise<Answer>;

interface Server {
  readonly call: Call;
}

/** Every row of every table. */
async function copyOf(client: pg.Client): Promise<string> {
  const { rows: tables } = await client.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema')`,
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const { rows } = await client.query<{ line: string }>(
      `select each::text as line from ${name} as each`,
    );
    texts.push(...rows.map(({ line }) => line));
  }
  return texts.join('\n');
}

/** Its part of a longer text in base64, at any offset modulo three. */
const inBase64 = (bytes: Buffer): string[] =>
  [0, 1, 2].flatMap((place) => {
    const text = Buffer.concat([Buffer.alloc(place), bytes]).toString('base64');
    const inner = text.slice(Math.ceil((place * 8) / 6), -4);
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')];
  });

/** All forms that it may have in a copy. */
function formsOf(secret: string): string[] {
  const bytes = [Buffer.from(secret)];
  const payload = secret.replace(/^whsec_/, '');
  // A secret that is base64 or hex may be stored as the bytes it stands for.
  for (const encoding of ['base64', 'base64url', 'hex'] as const) {
    const decoded = Buffer.from(payload, encoding);
    if (decoded.length >= 12 && decoded.toString(encoding) === payload) bytes.push(decoded);
  }
  const encoded = bytes.flatMap((each) => [
    each.toString('hex'),
    each.toString('hex').toUpperCase(),
    ...inBase64(each),
  ]);
  return [secret, payload, ...encoded];
}

const found = (copy: string, secrets: Readonly<Record<string, string>>): string[] =>
  Object.entries(secrets).flatMap(([name, secret]) =>
    formsOf(secret).some((form) => copy.includes(form)) ? [name] : [],
  );

const random = () => randomBytes(24).toString('base64url');
const signing = () => `whsec_${randomBytes(32).toString('base64')}`;

/** The first line of the body of each private key in PEM. */
const pemLines = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [file, readFileSync(file, 'latin1')] as const)
      .filter(([, text]) => text.includes('PRIVATE KEY-----'))
      .map(([file, text]) => [file, text.split('\n')[1] ?? '']),
  );

async function session({ call }: Server, token: string): Promise<string> {
  const answer = await call('POST', '/v1.0/session', {
    ...{ token: null, headers: { [CONSOLE_HEADER]: '1' } },
    body: { token },
  });
  const [, secret = ''] = /^[^=]+=([^;]+)/.exec(answer.headers.get('set-cookie') ?? '') ?? [];
  expect(answer.status).toBe(200);
  return secret;
}

async function made({ call }: Server, method: string, path: string, body: unknown): Promise<any> {
  const answer = await call(method, path, body === undefined ? {} : { body });
  expect([200, 201]).toContain(answer.status);
  return answer.body;
}

const signOn = () => ({
  oidcIssuer: 'https://provider.invalid',
  oidcClientId: 'otaops',
  oidcClientSecret: random(),
  oidcRoles: [{ value: 'admins', role: 'admin' }],
  consoleUrl: 'http://127.0.0.1',
});

interface Stolen {
  readonly client: pg.Client;
  readonly secrets: Record<string, string>;
  /** Texts that every copy contains, so that an empty copy does not pass. */
  readonly plain: readonly string[];
  stop(): Promise<void>;
}

/** For the port where vehicles enrol. */
const { cert, key } = new OpensslAuthority('Servers').server();

const embeddedClient = (dataDir: string) =>
  new pg.Client({ host: join(dataDir, 'database'), user: 'otaops', database: 'postgres' });

async function adapterWith(isEmbedded: boolean): Promise<Stolen> {
  const dataDir = temporaryDirectory('stolen-adapter');
  const given = { callbackSecret: signing(), ...signOn() };
  const vin = vinOf(1, 'STL');
  const another = isEmbedded ? undefined : await newDatabase(ADAPTER_SCHEMA);
  const t = await startTestAdapter({
    ...{ dataDir, callbackUrl: 'http://127.0.0.1:9/events', callbackAllow: ['127.0.0.0/8'] },
    ...{ ...given, databaseUrl: another?.url },
    ...(isEmbedded ? { secretKeys: undefined } : {}),
  });
  const registration = { system_id: 'c2c-sys-stolen', device_id: 'd', ecu_type: 'TCU' };
  const url = 'http://127.0.0.1:9/other';
  const chosen = { name: 'chosen', url, secret: signing() };
  await made(t, 'POST', '/v1.0/callbacks', chosen);
  const changed = { ...chosen, name: 'changed', secret: signing() };
  await made(t, 'POST', '/v1.0/callbacks', changed);
  const secrets = {
    'the call-back of the settings': given.callbackSecret,
    'the OpenID Connect client': given.oidcClientSecret,
    'a call-back': chosen.secret,
    'the previous secret of a call-back': changed.secret,
    'the next secret of a call-back': (
      await made(t, 'PATCH', '/v1.0/callbacks/changed', { newSecret: true })
    ).secret,
    'a call-back that the server chose': (
      await made(t, 'POST', '/v1.0/callbacks', { name: 'made', url })
    ).secret,
    'the first token': t.token,
    'a token': await t.tokenFor('operator'),
    'a session': await session(t, t.token),
    'the credential of a vehicle': (await made(t, 'PUT', `/v1.0/vehicles/${vin}`, registration))
      .credential,
    'the key of secrets': isEmbedded
      ? readFileSync(join(dataDir, 'secret.key'), 'utf8').trim()
      : SECRET_KEY,
    ...pemLines(dataDir),
  };
  return {
    client: isEmbedded ? embeddedClient(dataDir) : new pg.Client(another?.url),
    secrets,
    plain: [vin, 'c2c-sys-stolen', url],
    async stop() {
      await t.stop();
      await another?.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function carotaWith(isEmbedded: boolean): Promise<Stolen> {
  const dataDir = temporaryDirectory('stolen-carota');
  const [mail, slack] = [random(), random()];
  const given = {
    ...{ adapterToken: random(), adapterControlToken: random(), ...signOn() },
    callbackSecrets: [signing()],
  };
  const t = await startTestCarota('http://127.0.0.1:9', {
    ...{ dataDir, callbackAllow: ['127.0.0.0/8'], enrolmentCa: join(dataDir, 'authority') },
    ...{ vehiclePort: 0, vehicleTls: { cert, key, ca: undefined } },
    ...{ smtpUrl: `smtp://otaops:${mail}@127.0.0.1:9`, smtpFrom: 'otaops@example.com' },
    ...given,
    ...(isEmbedded ? { databaseUrl: undefined, secretKeys: undefined } : {}),
  });
  const vin = vinOf(1, 'STL');
  const rules = '/v1.0/notification-rules';
  const rule = { name: 'webhook', events: ['stop'], channel: 'webhook' };
  const url = 'http://127.0.0.1:9/hook';
  await made(t, 'PUT', `/v1.0/vehicles/${vin}`, {
    ...{ model: MODEL, system_id: 'c2c-sys-stolen' },
  });
  const slackUrl = `http://127.0.0.1:9/services/${slack}`;
  await made(t, 'POST', rules, { ...rule, name: 's', channel: 'slack', url: slackUrl });
  const vehicle = { role: 'vehicle', name: 'of a vehicle', vin };
  const uploaded = await t.upload(randomBytes(100));
  const [urlKey] = await derivedKeys(
    isEmbedded ? { dataDir } : { dataDir, secretKeys: [SECRET_KEY] },
    'artifact URLs',
    pino({ level: 'silent' }),
  );
  const secrets = {
    'the token for the adapter': given.adapterToken,
    'the token to control it': given.adapterControlToken,
    'the secret of call-backs': given.callbackSecrets[0] ?? '',
    'the OpenID Connect client': given.oidcClientSecret,
    'the password for e-mail': mail,
    'the address of a Slack channel': slack,
    'the secret of a notification rule': (await made(t, 'POST', rules, { ...rule, url })).secret,
    'the first token': t.token,
    'the token of a vehicle': (await made(t, 'POST', '/v1.0/tokens', vehicle)).token,
    'a session': await session(t, t.token),
    'the code of an enrolment': (
      await made(t, 'POST', `/v1.0/vehicles/${vin}/enrolment-codes`, undefined)
    ).code,
    'the key of artifact URLs': Buffer.from(urlKey ?? []).toString('base64'),
    'the signature of an artifact URL': /signature=(.+)$/.exec(uploaded.url)?.[1] ?? '',
    'the key of secrets': isEmbedded
      ? readFileSync(join(dataDir, 'secret.key'), 'utf8').trim()
      : SECRET_KEY,
    ...pemLines(dataDir),
  };
  return {
    client: isEmbedded ? embeddedClient(dataDir) : new pg.Client(t.databaseUrl),
    secrets,
    plain: [vin, 'c2c-sys-stolen', url],
    stop: () => t.stop(),
  };
}

/** In an order in which every second row covers each server and each kind of database. */
const STOLEN: readonly (readonly [string, string, () => Promise<Stolen>])[] = [
  ['the adapter', 'the embedded database', () => adapterWith(true)],
  ['the CarOTA Server', 'the embedded database', () => carotaWith(true)],
  ['the CarOTA Server', 'another database', () => carotaWith(false)],
  ['the adapter', 'another database', () => adapterWith(false)],
];

describe.each(sampleOf(STOLEN, 2))('of %s with %s', (_server, _database, start) => {
  let stolen: Stolen;
  beforeAll(async () => {
    stolen = await start();
    await stolen.client.connect();
  });
  afterAll(async () => {
    await stolen.client.end();
    await stolen.stop();
  });

  test('a copy contains none of its secrets', async () => {
    const copy = await copyOf(stolen.client);
    for (const text of stolen.plain) expect(copy).toContain(text);
    for (const [name, secret] of Object.entries(stolen.secrets)) {
      expect(secret, name).toMatch(/^.{16,}$/);
    }
    expect(found(copy, stolen.secrets)).toEqual([]);
  });

  test('this attack would find each secret, however it was stored', async () => {
    const names = Object.keys(stolen.secrets);
    const { client } = stolen;
    await client.query('begin');
    await client.query('create table leaked (plain text, bytes bytea)');
    const leaks = async (plain: string | null, bytes: Buffer | null) => {
      await client.query('insert into leaked values ($1, $2)', [plain, bytes]);
    };
    const ways: ((secret: string) => Promise<void>)[] = [
      (secret) => leaks(secret, null),
      (secret) => leaks(JSON.stringify({ secret }), null),
      (secret) => leaks(Buffer.from(`a ${secret}`).toString('base64'), null),
      (secret) => leaks(null, Buffer.from(secret)),
    ];
    for (const way of ways) {
      await client.query('truncate leaked');
      for (const secret of Object.values(stolen.secrets)) await way(secret);
      expect(found(await copyOf(client), stolen.secrets)).toEqual(names);
    }
    await client.query('rollback');
  });
});
