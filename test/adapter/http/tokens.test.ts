/** Tokens of programs: expiry, last use, and rotation with an overlap. */
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADAPTER_SCHEMA } from '../../../src/adapter/schema.js';
import { ExpiringTokens } from '../../../src/service/access/index.js';
import { type Database, openPostgres } from '../../../src/service/database/index.js';
import { eventually, startTestAdapter, type TestAdapter } from '../../support/adapter.js';
import { newDatabase, type TestDatabase } from '../../support/databases.js';
import { runCommand } from '../../support/run-command.js';

let t: TestAdapter;
let stored: TestDatabase;
let database: Database;
beforeAll(async () => {
  stored = await newDatabase(ADAPTER_SCHEMA);
  database = openPostgres({ url: stored.url });
  t = await startTestAdapter({ databaseUrl: stored.url });
});
afterAll(async () => {
  await t.stop();
  await database.close();
  await stored.drop();
});

const HOUR = 3_600;
const make = async (more: object = {}) =>
  (await t.call('POST', '/v1.0/tokens', { body: { role: 'viewer', name: 'program', ...more } }))
    .body;
const rotate = (id: string, body?: object) =>
  t.call('POST', `/v1.0/tokens/${id}/rotation`, body === undefined ? {} : { body });
const find = async (id: string) => {
  const { body } = await t.call('GET', '/v1.0/tokens');
  return body.items.find((token: { id: string }) => token.id === id);
};
const mayRead = async (token: string) =>
  (await t.call('GET', '/v1.0/ota/operations', { token })).status === 200;
const expire = (id: string) =>
  database.query("update tokens set expires_at = now() - interval '1 second' where id = $1", [id]);
const secondsUntil = (time: string) => (Date.parse(time) - Date.now()) / 1000;

test('a token expires for requests, for sessions, and for transfers in progress', async () => {
  const { id, token, expiresAt } = await make({ lifetime: HOUR });
  expect(secondsUntil(expiresAt)).toBeGreaterThan(HOUR - 60);
  expect(secondsUntil(expiresAt)).toBeLessThanOrEqual(HOUR + 5);
  expect(await mayRead(token)).toBe(true);
  const signedIn = await t.call('POST', '/v1.0/session', {
    token: null,
    headers: { 'x-otaops-console': '1' },
    body: { token },
  });
  const cookie = (signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const stream = await fetch(`${t.adapter.httpUrl}/v1.0/ota/events/stream`, {
    headers: { 'authorization-token': token },
  });
  expect(stream.status).toBe(200);
  await expire(id);
  expect(await mayRead(token)).toBe(false);
  const session = await t.call('GET', '/v1.0/session', { token: null, headers: { cookie } });
  expect(session.status).toBe(401);
  const again = await t.call('POST', '/v1.0/session', {
    token: null,
    headers: { 'x-otaops-console': '1' },
    body: { token },
  });
  expect(again.status).toBe(401);
  await expect(stream.text()).rejects.toThrow();
});

test.each<[string, object]>([
  ['a second', { lifetime: 1 }],
  ['more than ten years', { lifetime: 10 * 365 * 24 * HOUR + 1 }],
  ['a fraction', { lifetime: 100.5 }],
  ['a text', { lifetime: '3600' }],
  ['nothing', { lifetime: null }],
  ['a negative time', { lifetime: -HOUR }],
])('a lifetime of %s is refused', async (_name, more) => {
  const body = { role: 'viewer', name: 'x', ...more };
  const { status, body: answer } = await t.call('POST', '/v1.0/tokens', { body });
  expect([status, answer.errors[0].path]).toEqual([400, '/lifetime']);
});

test('the last use is accurate to a minute, without a write per request', async () => {
  const { id, token } = await make();
  expect((await find(id)).lastUsedAt).toBeNull();
  await Promise.all(Array.from({ length: 20 }, () => mayRead(token)));
  const { lastUsedAt } = await eventually(
    () => find(id),
    (found) => found.lastUsedAt !== null,
  );
  const version = async () => {
    const rows = await database.query<{ xmin: string }>(
      'select xmin::text from tokens where id = $1',
      [id],
    );
    return rows[0]?.xmin;
  };
  const before = await version();
  for (let request = 0; request < 5; request += 1) await mayRead(token);
  expect(await version()).toBe(before);
  await database.query(
    "update tokens set last_used_at = last_used_at - interval '2 minutes' where id = $1",
    [id],
  );
  await mayRead(token);
  await eventually(
    () => find(id),
    (found) => Date.parse(found.lastUsedAt) > Date.parse(lastUsedAt) - 60_000,
  );
});

test('a successor has the same rights, and both are valid during the overlap', async () => {
  const old = await make({ lifetime: 48 * HOUR });
  const { status, body } = await rotate(old.id, { overlap: HOUR });
  expect(status).toBe(201);
  expect(body.replaces.id).toBe(old.id);
  expect(secondsUntil(body.replaces.expiresAt)).toBeLessThanOrEqual(HOUR + 5);
  // The same lifetime as the old token.
  expect(secondsUntil(body.expiresAt)).toBeGreaterThan(48 * HOUR - 60);
  expect(await find(body.id)).toMatchObject({ name: 'program', role: 'viewer', replacedBy: null });
  expect(await find(old.id)).toMatchObject({ replacedBy: body.id });
  expect([await mayRead(old.token), await mayRead(body.token)]).toEqual([true, true]);
  await expire(old.id);
  expect([await mayRead(old.token), await mayRead(body.token)]).toEqual([false, true]);
  const { body: audit } = await t.call('GET', '/v1.0/audit?action=rotate-token&limit=1');
  expect(audit.items[0]).toMatchObject({ subject: old.id, detail: { successor: body.id } });
});

test('an overlap is a day by default, may be zero, and never outlasts the old token', async () => {
  const forever = await make();
  const byDefault = (await rotate(forever.id)).body;
  expect(Math.round(secondsUntil(byDefault.replaces.expiresAt) / HOUR)).toBe(24);
  expect(byDefault.expiresAt).toBeNull();
  const atOnce = await make();
  await rotate(atOnce.id, { overlap: 0 });
  expect(await mayRead(atOnce.token)).toBe(false);
  const short = await make({ lifetime: HOUR });
  const { body } = await rotate(short.id, { overlap: 5 * HOUR, lifetime: 24 * HOUR });
  expect(Math.round(secondsUntil(body.replaces.expiresAt) / HOUR)).toBe(1);
  expect(Math.round(secondsUntil(body.expiresAt) / HOUR)).toBe(24);
});

test('a token has one successor, even if it is rotated several times at once', async () => {
  const { id } = await make();
  const answers = await Promise.all(Array.from({ length: 5 }, () => rotate(id)));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
  expect(answers.filter(({ body }) => body.errorCode === 'TOKEN_ENDED')).toHaveLength(4);
});

test('a token that has expired or does not exist gets no successor', async () => {
  const revoked = await make();
  await t.call('DELETE', `/v1.0/tokens/${revoked.id}`);
  const expired = await make();
  await expire(expired.id);
  for (const { id } of [revoked, expired]) expect((await rotate(id)).status).toBe(409);
  expect((await rotate('none')).status).toBe(404);
  expect((await rotate(expired.id, { overlap: -1 })).status).toBe(400);
  expect((await rotate(expired.id, { overlap: 1e300 })).status).toBe(400);
  expect((await rotate(expired.id, { more: 1 })).status).toBe(400);
});

test('only an administrator can rotate a token; its holder cannot', async () => {
  const { id, token } = await make();
  const { status } = await t.call('POST', `/v1.0/tokens/${id}/rotation`, { token });
  expect(status).toBe(403);
});

test('an expired admin token does not count as another one', async () => {
  const { id } = await make({ role: 'admin' });
  await expire(id);
  const { body } = await t.call('GET', '/v1.0/tokens');
  const own = body.items.find(({ name }: { name: string }) => name === 'initial admin');
  const { status, body: refused } = await t.call('DELETE', `/v1.0/tokens/${own.id}`);
  expect([status, refused.errorCode]).toEqual([409, 'LAST_ADMINISTRATOR']);
  // The expired token itself can still be revoked.
  expect((await t.call('DELETE', `/v1.0/tokens/${id}`)).status).toBe(204);
});

test('an admin token that has a successor, or expires within the hour, does not count as another one either', async () => {
  const soon = await make({ role: 'admin', lifetime: HOUR / 2 });
  const old = await make({ role: 'admin' });
  const { body: successor } = await rotate(old.id);
  expect((await t.call('DELETE', `/v1.0/tokens/${successor.id}`)).status).toBe(204);
  expect((await t.call('GET', '/v1.0/tokens', { token: old.token })).status).toBe(200);
  const { body } = await t.call('GET', '/v1.0/tokens');
  const own = body.items.find(({ name }: { name: string }) => name === 'initial admin');
  const { status, body: refused } = await t.call('DELETE', `/v1.0/tokens/${own.id}`);
  expect([status, refused.errorCode]).toEqual([409, 'LAST_ADMINISTRATOR']);
  for (const { id } of [soon, old]) {
    expect((await t.call('DELETE', `/v1.0/tokens/${id}`)).status).toBe(204);
  }
});

test('a token that expires soon is counted, and named in the log once', async () => {
  const before = await t.metric('otaops_tokens_expiring');
  const soon = await make({ name: 'expires soon', lifetime: 24 * HOUR });
  await make({ name: 'expires later', lifetime: 30 * 24 * HOUR });
  expect(await t.metric('otaops_tokens_expiring')).toBe(before + 1);
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => lines.push(line) });
  let now = Date.now();
  const watch = new ExpiringTokens(database, () => now, log);
  await watch.look();
  await watch.look();
  const named = () => lines.filter((line) => line.includes('"name":"expires soon"'));
  expect(named()).toHaveLength(1);
  expect(lines.join('')).not.toContain('expires later');
  expect(lines.join('')).not.toContain(soon.token);
  // Not named again within a day; not counted once it has a successor.
  now += 23 * HOUR * 1000;
  await watch.look();
  expect(named()).toHaveLength(1);
  await rotate(soon.id, { lifetime: 60 * 24 * HOUR });
  expect(await t.metric('otaops_tokens_expiring')).toBe(before);
});

test('otaops token creates a token with an expiry, rotates it and lists it', async () => {
  const to = ['--url', t.adapter.httpUrl, '--token', t.token];
  const made = await runCommand(
    [
      'token',
      'create',
      '--role',
      'viewer',
      '--name',
      'by command',
      '--valid-days',
      '30',
      '--json',
      ...to,
    ],
    {},
  );
  const { id, expiresAt } = JSON.parse(made.stdout) as { id: string; expiresAt: string };
  expect(Math.round(secondsUntil(expiresAt) / 24 / HOUR)).toBe(30);
  const rotated = await runCommand(['token', 'rotate', id, '--overlap-hours', '0', ...to], {});
  expect(await mayRead(rotated.stdout.trim())).toBe(true);
  const { output } = await runCommand(['token', 'list', ...to], {});
  expect(output).toMatch(
    /viewer {4}by command {2}\(until \d{4}-\d\d-\d\d, (never used|last used \d{4}-\d\d-\d\d)\)/,
  );
  const again = await runCommand(['token', 'rotate', id, ...to], {});
  expect([again.code, again.output]).toEqual([3, expect.stringContaining('has a successor')]);
});
