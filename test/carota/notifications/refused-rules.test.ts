/** Rules for notifications that the server refuses. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type AdapterDouble,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from '../support/test-carota.js';

const RULES = '/v1.0/notification-rules';
let adapter: AdapterDouble;
let carota: TestCarota;

beforeAll(async () => {
  adapter = await startAdapterDouble();
  carota = await startTestCarota(adapter.url, {
    // No notification is sent.
    smtpUrl: 'smtp://127.0.0.1:9',
    smtpFrom: 'otaops@example.com',
  });
});
afterAll(async () => {
  await carota.stop();
  await adapter.stop();
});

describe('a rule is refused', () => {
  const base = { name: 'r', events: ['stop'] };
  const url = 'https://hooks.example/x';
  test.each([
    ['without an address', { ...base, channel: 'webhook' }, '/url'],
    ['with an address that is none', { ...base, channel: 'webhook', url: 'http://[' }, '/url'],
    ['with a password in it', { ...base, channel: 'slack', url: 'https://a:b@h.example/' }, '/url'],
    [
      'with an address that is ours',
      { ...base, channel: 'teams', url: 'http://10.0.0.1/' },
      '/url',
    ],
    [
      'with the metadata of a cloud',
      { ...base, channel: 'webhook', url: 'http://[::ffff:169.254.169.254]/latest' },
      '/url',
    ],
    ['without addressees', { ...base, channel: 'email' }, '/to'],
    ['with e-mail and a URL', { ...base, channel: 'email', to: ['a@b.example'], url }, '/url'],
    ['with a webhook and addressees', { ...base, channel: 'webhook', url, to: ['a@b.c'] }, '/to'],
    [
      'with an address that adds a header',
      { ...base, channel: 'email', to: ['a@b.example\r\nBcc: c@d.example'] },
      '/to/0',
    ],
    ['with two addresses in one', { ...base, channel: 'email', to: ['a@b.c,d@e.f'] }, '/to/0'],
    ['without events', { ...base, events: [], channel: 'webhook', url }, '/events'],
    [
      'with an event twice',
      { ...base, events: ['stop', 'stop'], channel: 'webhook', url },
      '/events',
    ],
    [
      'for a rate without one',
      { ...base, events: ['failure-rate'], channel: 'webhook', url },
      '/failurePercent',
    ],
    [
      'for a rate of nothing',
      { ...base, events: ['failure-rate'], failurePercent: 0, channel: 'webhook', url },
      '/failurePercent',
    ],
    [
      'with a rate for no event',
      { ...base, failurePercent: 5, channel: 'webhook', url },
      '/failurePercent',
    ],
    [
      'with a name of half a character',
      { ...base, name: '\ud800', channel: 'webhook', url },
      '/name',
    ],
  ])('%s', async (_what, body, field) => {
    const { status, body: answer } = await carota.call('POST', RULES, { body });
    expect(status).toBe(400);
    expect(answer.errors[0].path).toBe(field);
  });

  test('if its name is taken', async () => {
    const rule = { name: 'taken', events: ['stop'], channel: 'webhook', url };
    expect((await carota.call('POST', RULES, { body: rule })).status).toBe(201);
    const { status, body } = await carota.call('POST', RULES, { body: rule });
    expect([status, body.errorCode]).toEqual([409, 'NOTIFICATION_RULE_EXISTS']);
  });

  test('or not found if its id does not exist', async () => {
    for (const id of ['999999', '999999999999999999']) {
      expect((await carota.call('POST', `${RULES}/${id}/test`)).status).toBe(404);
    }
    for (const id of ['0', '-1', '1.5', 'x', '9999999999999999999']) {
      expect((await carota.call('POST', `${RULES}/${id}/test`)).status).toBe(400);
    }
  });
});

test('e-mail is refused without an SMTP server', async () => {
  const plain = await startTestCarota(adapter.url);
  const body = { name: 'r', events: ['stop'], channel: 'email', to: ['a@b.example'] };
  expect(await plain.call('POST', RULES, { body })).toMatchObject({
    status: 400,
    body: { errors: [{ path: '/channel' }] },
  });
  await plain.stop();
  await expect(startTestCarota(adapter.url, { smtpUrl: 'smtp://127.0.0.1' })).rejects.toThrow(
    '--smtp-url and --smtp-from must be given together',
  );
});
