/** Notifications over real HTTP and SMTP, until they are delivered. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import pg from 'pg';
import { SMTPServer } from 'smtp-server';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type EventStatusName } from '../../../src/contract/index.js';
import { eventually } from '../../support/adapter.js';
import { sampleOf, takingTurns } from '../../support/depth.js';
import { vinOf } from '../../support/messages.js';
import {
  type AdapterDouble,
  eventOf,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from '../support/test-carota.js';

/** Tests with siblings on the same subject take turns. */
const isTurn = takingTurns(2);

interface Request {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Receives webhooks and answers as the test says. */
class Receiver {
  readonly requests: Request[] = [];
  answer: { status: number; headers?: Record<string, string> } | 'cut' = { status: 204 };
  readonly #server = createServer((request, response) => {
    void textOf(request).then((text) => {
      const { url: path = '', headers } = request;
      this.requests.push({ path, headers, text });
      if (this.answer === 'cut') response.destroy();
      else response.writeHead(this.answer.status, this.answer.headers).end();
    });
  });

  async start(port = 0): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }
  at(path: string): Request[] {
    return this.requests.filter((request) => request.path === path);
  }
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const mails: { from: string; to: string[]; text: string }[] = [];
let mailFault: Error | undefined;
const unknownAddresses = new Set<string>();
const smtp = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  onAuth({ username, password }, _session, done) {
    if (username === 'otaops' && password === 'pass word') done(null, { user: username });
    else done(new Error('wrong password'));
  },
  onRcptTo({ address }, _session, done) {
    if (unknownAddresses.has(address)) {
      done(Object.assign(new Error('no such user'), { responseCode: 550 }));
    } else done();
  },
  onData(stream, { envelope }, done) {
    void textOf(stream).then((text) => {
      if (mailFault) {
        done(mailFault);
        return;
      }
      const { mailFrom, rcptTo } = envelope;
      mails.push({
        from: mailFrom === false ? '' : mailFrom.address,
        to: rcptTo.map(({ address }) => address),
        text,
      });
      done();
    });
  },
});

const SCRIPT = 'hu only 001';
const vins = Array.from({ length: 30 }, (_, n) => vinOf(n, 'WVW'));
const receiver = new Receiver();
let adapter: AdapterDouble;
let carota: TestCarota;
let settings: NonNullable<Parameters<typeof startTestCarota>[1]>;
let names = 0;

beforeAll(async () => {
  await receiver.start();
  smtp.on('error', () => undefined);
  smtp.listen(0, '127.0.0.1');
  await once(smtp.server, 'listening');
  adapter = await startAdapterDouble();
  const { port } = smtp.server.address() as AddressInfo;
  settings = {
    adapterControlToken: 'operator',
    deadlineGrace: 0,
    callbackAllow: ['127.0.0.0/8'],
    smtpUrl: `smtp://otaops:pass%20word@127.0.0.1:${port}`,
    smtpFrom: 'otaops@example.com',
  };
  carota = await startTestCarota(adapter.url, settings);
  await carota.publish(SCRIPT);
});
afterAll(async () => {
  await carota.stop();
  await adapter.stop();
  await receiver.stop();
  await new Promise<void>((resolve) => smtp.close(() => resolve()));
});
afterEach(() => {
  receiver.answer = { status: 204 };
  mailFault = undefined;
  unknownAddresses.clear();
  adapter.answer = 202;
});

const RULES = '/v1.0/notification-rules';
async function addRule(fields: object): Promise<any> {
  const name = `rule ${++names}`;
  const { status, body } = await carota.call('POST', RULES, { body: { name, ...fields } });
  expect(status).toBe(201);
  return body;
}
const webhook = (path: string, events: string[], fields: object = {}) =>
  addRule({ channel: 'webhook', url: receiver.url(path), events, ...fields });
const testOf = async (id: string) => {
  const { status, body } = await carota.call('POST', `${RULES}/${id}/test`);
  expect(status).toBe(202);
  return body;
};
const deliveries = async () =>
  (await carota.call('GET', '/v1.0/notifications?limit=200')).body.items as any[];
const untilDelivery = (id: string, holds: (delivery: any) => boolean) =>
  eventually(
    async () => (await deliveries()).find((delivery) => delivery.id === id),
    (delivery) => delivery !== undefined && holds(delivery),
  );
const untilReceived = (path: string, number = 1) =>
  eventually(
    () => Promise.resolve(receiver.at(path)),
    (requests) => requests.length >= number,
  );

async function sql(statement: string): Promise<any[]> {
  const client = new pg.Client(carota.databaseUrl);
  await client.connect();
  const { rows } = await client.query(statement);
  await client.end();
  return rows;
}
const retryNow = () =>
  sql('update notification_deliveries set due_at = now() where due_at is not null');

let refIds = 0;
async function running(guard: object): Promise<string> {
  const refId = `told ${++refIds}`;
  const body = { 'ref-id': refId, 'script-ref-id': SCRIPT, model: MODEL, vins, guard };
  expect((await carota.call('POST', '/v1.0/schedules', { body })).status).toBe(201);
  await eventually(
    () => show(refId),
    ({ waves }) => waves.length > 0 && waves[0].postedAt !== null,
  );
  return refId;
}
const path = (refId: string) => `/v1.0/schedules/${encodeURIComponent(refId)}`;
const show = async (refId: string) => (await carota.call('GET', path(refId))).body;
const report = (refId: string, some: readonly string[], ...statuses: readonly EventStatusName[]) =>
  carota.callBack(statuses.flatMap((status) => some.map((vin) => eventOf({ refId, vin, status }))));

describe('events', () => {
  test('a stop is notified once per rule for it, signed, even across a restart', async () => {
    const rule = await webhook('/stop', ['stop']);
    await webhook('/hold', ['hold']);
    const refId = await running({ maxFailures: 1, soak: 0 });
    receiver.answer = { status: 503 };
    await report(refId, vins.slice(0, 1), 'downloading', 'failure');
    await untilReceived('/stop');
    const { dataDir } = carota;
    await carota.stop(true);
    receiver.answer = { status: 204 };
    carota = await startTestCarota(adapter.url, { ...settings, dataDir });
    await retryNow();
    const [first, second] = await untilReceived('/stop', 2);
    // Delivery is at least once, with the same id.
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    const verified = new Webhook(rule.secret).verify(
      second?.text ?? '',
      second?.headers as Record<string, string>,
    );
    expect(verified).toMatchObject({
      type: 'otaops.stop',
      data: {
        'ref-id': refId,
        summary: `Schedule ${refId} was stopped by guard: 1 vehicle failed`,
      },
    });
    const told = await deliveries();
    expect(told.filter((one) => one['ref-id'] === refId)).toHaveLength(1);
    expect(receiver.at('/hold')).toEqual([]);
  });

  test.runIf(isTurn())('a hold is notified', async () => {
    await webhook('/held', ['hold']);
    const test = { tolerated: 0.01, intolerable: 0.5, falseStop: 0.05, missedStop: 0.01 };
    const refId = `told ${++refIds}`;
    const [one = ''] = vins;
    const body = {
      ...{ 'ref-id': refId, 'script-ref-id': SCRIPT, model: MODEL, vins: vins.slice(0, 3) },
      ...{ waves: [{ vins: [one] }], guard: { test, soak: 0 } },
    };
    expect((await carota.call('POST', '/v1.0/schedules', { body })).status).toBe(201);
    await eventually(
      () => show(refId),
      ({ waves }) => waves.length > 0 && waves[0].postedAt !== null,
    );
    await report(refId, [one], 'downloading', 'success');
    const [request] = await untilReceived('/held');
    expect(JSON.parse(request?.text ?? '').data).toMatchObject({ event: 'hold', 'ref-id': refId });
  });

  test('silence is notified for the first vehicle and the tenth, not for each', async () => {
    await webhook('/silent', ['silent']);
    const refId = await running({ maxFailures: 99, deadline: 1 });
    await report(refId, vins.slice(0, 1), 'downloading');
    await untilReceived('/silent', 1);
    await report(refId, vins.slice(1, 25), 'downloading');
    await eventually(
      () => show(refId),
      ({ exposure }) => exposure.silent === 25,
    );
    await untilReceived('/silent', 2);
    expect(
      (await deliveries()).filter((one) => one.event === 'silent' && one['ref-id'] === refId),
    ).toHaveLength(2);
  });

  test.runIf(isTurn())(
    'a failure rate is notified once per schedule and rule, from a minimum number of vehicles on',
    async () => {
      await webhook('/rate', ['failure-rate'], { failurePercent: 25, least: 4 });
      await webhook('/rate-high', ['failure-rate'], { failurePercent: 75, least: 4 });
      const refId = await running({ maxFailures: 99, soak: 0 });
      await report(refId, vins.slice(0, 1), 'downloading', 'failure');
      await report(refId, vins.slice(1, 3), 'downloading', 'success');
      expect((await deliveries()).filter((one) => one['ref-id'] === refId)).toEqual([]);
      await report(refId, vins.slice(3, 4), 'downloading', 'success');
      await report(refId, vins.slice(4, 5), 'downloading', 'failure');
      const [request] = await untilReceived('/rate');
      expect(JSON.parse(request?.text ?? '').data.summary).toBe(
        `Schedule ${refId}: 1 of 4 vehicles with a result failed (25.0 %)`,
      );
      const told = (await deliveries()).filter((one) => one['ref-id'] === refId);
      expect(told).toHaveLength(1);
    },
  );
});

describe('a delivery', () => {
  const FAULTS: readonly [string, Receiver['answer'], RegExp][] = [
    ['400', { status: 400 }, /answered 400/],
    ['500', { status: 500 }, /answered 500/],
    ['a redirect', { status: 302, headers: { location: '/elsewhere' } }, /redirects are not/],
    ['no answer', 'cut', /hang up|reset|closed/],
  ];
  test.each(sampleOf(FAULTS, 2))('is retried after %s', async (_what, answer, failure) => {
    const { id } = await webhook(`/fails-${names}`, ['stop']);
    receiver.answer = answer;
    const { id: delivery } = await testOf(id);
    const failed = await untilDelivery(delivery, (one) => one.failure !== null);
    expect(failed).toMatchObject({
      failure: expect.stringMatching(failure),
      deliveredAt: null,
      nextTryAt: expect.any(String),
    });
    receiver.answer = { status: 200 };
    await retryNow();
    const delivered = await untilDelivery(delivery, (one) => one.deliveredAt !== null);
    expect(delivered).toMatchObject({ failure: null, nextTryAt: null });
    expect(delivered.tries).toBeGreaterThanOrEqual(2);
    expect(receiver.at('/elsewhere')).toEqual([]);
  });

  test.runIf(isTurn())('waits for a receiver that is down', async () => {
    const other = new Receiver();
    await other.start();
    const { port } = other;
    const { id } = await addRule({ channel: 'slack', url: other.url('/x'), events: ['stop'] });
    await other.stop();
    const { id: delivery } = await testOf(id);
    await untilDelivery(delivery, (one) => /ECONNREFUSED/.test(one.failure ?? ''));
    const again = new Receiver();
    await again.start(port);
    await retryNow();
    await untilDelivery(delivery, (one) => one.deliveredAt !== null);
    await again.stop();
  });

  test.runIf(isTurn())('does not wait for another one that fails', async () => {
    const [bad, good] = [await webhook('/bad', ['stop']), await webhook('/good', ['stop'])];
    receiver.answer = { status: 500 };
    await testOf(bad.id);
    await untilReceived('/bad');
    receiver.answer = { status: 204 };
    const { id } = await testOf(good.id);
    await untilDelivery(id, (one) => one.deliveredAt !== null);
  });

  test.runIf(isTurn())(
    'is given up when its rule is disabled, and deleted with its rule',
    async () => {
      const { id } = await webhook('/off', ['stop']);
      receiver.answer = { status: 500 };
      const { id: delivery } = await testOf(id);
      await untilDelivery(delivery, (one) => one.failure !== null);
      await carota.call('PATCH', `${RULES}/${id}`, { body: { enabled: false } });
      await untilDelivery(delivery, (one) => one.nextTryAt === null && one.deliveredAt === null);
      expect((await carota.call('DELETE', `${RULES}/${id}`)).status).toBe(204);
      expect((await deliveries()).find((one) => one.id === delivery)).toBeUndefined();
      expect((await carota.call('DELETE', `${RULES}/${id}`)).status).toBe(404);
    },
  );
});

describe('a channel', () => {
  test('Slack gets text without links or mentions', async () => {
    const { id, target } = await addRule({
      ...{ name: '<!channel> & co', channel: 'slack', events: ['stop'] },
      url: receiver.url('/slack/T000/secret'),
    });
    expect(target).toBe(`${receiver.url('')}/…`);
    await testOf(id);
    const [request] = await untilReceived('/slack/T000/secret');
    expect(JSON.parse(request?.text ?? '')).toEqual({
      text: 'Test of the rule “&lt;!channel&gt; &amp; co”',
    });
    expect(request?.headers['webhook-signature']).toBeUndefined();
  });

  test.runIf(isTurn())('Teams gets an adaptive card', async () => {
    const { id } = await addRule({
      ...{ channel: 'teams', events: ['stop'], url: receiver.url('/teams') },
    });
    await testOf(id);
    const [request] = await untilReceived('/teams');
    const { attachments } = JSON.parse(request?.text ?? '');
    expect(attachments[0]).toMatchObject({
      contentType: 'application/vnd.microsoft.card.adaptive',
      content: { type: 'AdaptiveCard' },
    });
  });

  test('e-mail goes to all addresses, with the same Message-ID in each attempt', async () => {
    const to = ['a@example.com', 'b@example.org'];
    const { id } = await addRule({ channel: 'email', events: ['stop'], to });
    mailFault = Object.assign(new Error('try later'), { responseCode: 451 });
    const { id: delivery } = await testOf(id);
    await untilDelivery(delivery, (one) => /try later/.test(one.failure ?? ''));
    mailFault = undefined;
    await retryNow();
    await untilDelivery(delivery, (one) => one.deliveredAt !== null);
    const mail = mails.at(-1);
    expect(mail).toMatchObject({ from: 'otaops@example.com', to });
    expect(mail?.text).toMatch(new RegExp(`^Message-ID: <${delivery}@otaops>`, 'm'));
    expect(mail?.text).toMatch(/^Subject: .*OTA.Operations/m);
  });

  test.runIf(isTurn())(
    'an e-mail that some recipients refuse goes to the others once',
    async () => {
      const to = ['left@example.com', 'here@example.org'];
      unknownAddresses.add('left@example.com');
      const { id } = await addRule({ channel: 'email', events: ['stop'], to });
      const { id: delivery } = await testOf(id);
      const one = await untilDelivery(delivery, ({ deliveredAt }) => deliveredAt !== null);
      expect(one).toMatchObject({ tries: 1, failure: 'the server refused left@example.com' });
      await retryNow();
      expect(mails.filter((mail) => mail.to.includes('here@example.org'))).toHaveLength(1);
    },
  );

  test.runIf(isTurn())('an e-mail that all recipients refuse is sent again', async () => {
    const to = ['left@example.com'];
    unknownAddresses.add('left@example.com');
    const { id } = await addRule({ channel: 'email', events: ['stop'], to });
    const { id: delivery } = await testOf(id);
    const one = await untilDelivery(delivery, ({ failure }) => failure !== null);
    expect(one).toMatchObject({ deliveredAt: null });
    unknownAddresses.clear();
    await retryNow();
    await untilDelivery(delivery, ({ deliveredAt }) => deliveredAt !== null);
    expect(mails.at(-1)?.to).toEqual(to);
  });
});

test('addresses and signing secrets are encrypted in the database', async () => {
  const rule = await webhook('/sealed', ['stop']);
  const rows = await sql('select sealed, shown from notification_rules');
  for (const { sealed } of rows) expect(sealed).toMatch(/^sealed:v1:/);
  expect(JSON.stringify(rows)).not.toContain(rule.secret);
  const { body } = await carota.call('GET', RULES);
  expect(JSON.stringify(body)).not.toContain(rule.secret);
  expect(JSON.stringify(rows)).not.toContain('/slack/T000');
});
