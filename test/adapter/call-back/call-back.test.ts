/** The event call-back: at least once, in order, signed; a failing receiver delays no other. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Webhook } from 'standardwebhooks';
import {
  addReceiver,
  CallBack,
  changeReceiver,
  findReceiver,
  moveReceiver,
} from '../../../src/adapter/call-back/index.js';
import {
  addressGuard,
  createPoster,
  isSigningSecret,
  newSigningSecret,
} from '../../../src/service/outgoing/index.js';
import { type Database } from '../../../src/service/database/index.js';
import { EventStream, positionBefore } from '../../../src/adapter/event-stream/index.js';
import { dropHistory } from '../../../src/adapter/maintenance.js';
import { eventually } from '../../support/adapter.js';
import { openTestDatabase } from '../../support/databases.js';
import { takingTurns } from '../../support/depth.js';
import { type EventSource, eventSource } from '../../support/events.js';
import { vehicleOf } from '../../support/messages.js';
import { startReceiver, type TestReceiver } from '../../support/receiver.js';
import { testSecretBox } from '../../support/secret-key.js';

const FLEET = Array.from({ length: 5 }, (_, n) => vehicleOf(n, 'CBK'));
const box = testSecretBox();
const WEEK = 7 * 24 * 60 * 60 * 1000;

describe('on PostgreSQL', () => {
  let database: Database;
  let close: () => Promise<void>;
  let source: EventSource;
  let now = 0;
  let stored = 0;
  const stops: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    ({ database, close } = await openTestDatabase());
    source = await eventSource(database, 'schedule 0909', FLEET);
    now = Date.now();
    stored = 0;
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
    await close();
  });

  /**
   * An adapter's call-back. After a timeout it retries by the test's clock, so a timeout that a busy machine may exceed is
   * set only where a receiver hangs.
   */
  async function start(
    batchEvents = 10,
    timeoutMs = 15_000,
  ): Promise<{ stream: EventStream; stop(): Promise<void> }> {
    const stream = new EventStream({ database, onFailure: () => undefined });
    await stream.start();
    const poster = createPoster(addressGuard(['127.0.0.0/8']), { timeoutMs });
    const callBack = new CallBack({
      ...{ database, stream, poster, batchEvents, box },
      clock: () => now,
    });
    callBack.start();
    let stopped: Promise<void> | undefined;
    const stop = () =>
      (stopped ??= (async () => {
        await callBack.stop();
        await stream.stop();
        poster.close();
      })());
    stops.push(stop);
    return { stream, stop };
  }
  async function receiverAt(name: string, answer: number | 'hang' = 204): Promise<TestReceiver> {
    const receiver = await startReceiver();
    receiver.answer = answer;
    stops.push(() => receiver.stop());
    await addReceiver(database, { name, url: receiver.url, secret: SECRET }, now, box);
    return receiver;
  }
  const SECRET = newSigningSecret();
  async function store(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      const vehicle = FLEET[stored % FLEET.length] ?? vehicleOf(0);
      await source.store([{ vehicle, status: 'downloading', n: ++stored }]);
    }
  }
  const all = (receiver: TestReceiver, events: number) =>
    eventually(
      () => Promise.resolve(receiver.settled().length),
      (settled) => settled >= events,
    );
  const idOf = async (name: string) => (await findReceiver(database, name))?.id ?? '';

  test('an event has the contract’s form, and a Standard Webhooks signature', async () => {
    const receiver = await receiverAt('carota');
    await start();
    const [vehicle] = FLEET as [(typeof FLEET)[0]];
    const meta = [
      { key: 'download', value: '40%' },
      { key: 'reason', value: 'Network “Failure”' },
    ];
    await source.store([{ vehicle, status: 'download_fail', n: 1, meta }]);
    await all(receiver, 1);
    const [request] = receiver.requests as [TestReceiver['requests'][0]];
    expect(JSON.parse(request.text)).toEqual({
      time: expect.any(Number) as number,
      version: 'v1',
      body: {
        events: [
          {
            'event-id': expect.stringMatching(/^evt-[0-9a-f]{32}$/) as string,
            'ref-id': 'schedule 0909',
            vin: vehicle.vin,
            device_id: 'device1234',
            device_type: 'TCU',
            status: 8,
            'status-name': 'download_fail',
            meta,
            timestamp: expect.any(Number) as number,
            'received-at': expect.any(Number) as number,
          },
        ],
      },
    });
    const headers = request.headers as Record<string, string>;
    // The reference implementation's own check.
    expect(new Webhook(SECRET).verify(request.text, headers)).toBeTruthy();
    expect(() => new Webhook(newSigningSecret()).verify(request.text, headers)).toThrow();
    expect(() => new Webhook(SECRET).verify(`${request.text} `, headers)).toThrow();
  });

  const isTurn = takingTurns(2);
  test.runIf(isTurn())(
    'a refused batch is retried unchanged, under its id, with growing pauses; nothing is skipped',
    async () => {
      const receiver = await receiverAt('carota', 500);
      await start(4);
      await store(10);
      await eventually(
        () => Promise.resolve(receiver.requests.length),
        (tries) => tries === 1,
      );
      const pauses: number[] = [];
      for (let tries = 1; tries <= 4; tries++) {
        const { due_at: dueAt, failures } = await eventually(
          async () =>
            (await findReceiver(database, 'carota')) ?? { due_at: new Date(0), failures: 0 },
          (state) => state.failures === tries,
        );
        expect(failures).toBe(tries);
        pauses.push(dueAt.getTime() - now);
        now = dueAt.getTime();
        await eventually(
          () => Promise.resolve(receiver.requests.length),
          (count) => count > tries,
        );
      }
      for (const [n, pause] of pauses.entries()) {
        expect(pause).toBeGreaterThanOrEqual(800 * 2 ** n);
        expect(pause).toBeLessThanOrEqual(1_000 * 2 ** n);
      }
      const ids = receiver.requests.map(({ headers }) => headers['webhook-id']);
      expect(new Set(ids).size).toBe(1);
      const batches = receiver.requests.map(({ events }) =>
        events.map((event) => event['event-id']),
      );
      expect(new Set(batches.map((batch) => batch.join())).size).toBe(1);
      // Wait until the last refusal is recorded, because that schedules the next attempt by the clock.
      await eventually(
        () => findReceiver(database, 'carota'),
        (state) => state?.failures === 5,
      );
      receiver.answer = 200;
      now += 3_600_000;
      await all(receiver, 10);
      expect(new Set(receiver.settled().map((event) => event['event-id'])).size).toBe(10);
      expect(receiver.settled()).toHaveLength(10);
    },
  );

  test.runIf(isTurn())(
    'a batch refused because of one event is reduced until all events before that one are delivered',
    async () => {
      const receiver = await receiverAt('carota');
      const poison = 22;
      const holdsPoison = (events: readonly object[]) =>
        events.some((event) => (event as { meta: object[] }).meta.length > 0);
      receiver.answer = (events) => (holdsPoison(events) ? 422 : 204);
      for (let n = 1; n <= 40; n++) {
        const [vehicle] = FLEET as [(typeof FLEET)[0]];
        const meta = n === poison ? [{ key: 'poison', value: '1' }] : [];
        await source.store([{ vehicle, status: 'downloading', n, meta }]);
      }
      await start(16);
      const state = async () => {
        // Longer than any pause.
        now += 3_600_000;
        return findReceiver(database, 'carota');
      };
      await eventually(state, (carota) => carota?.position === poison - 1);
      // Alone, it is repeated forever, under one id; nothing is skipped, and the failure is visible.
      const before = receiver.requests.length;
      await eventually(state, () => receiver.requests.length >= before + 8);
      const alone = receiver.requests.slice(-3);
      expect(alone.map(({ events }) => events.length)).toEqual([1, 1, 1]);
      expect(new Set(alone.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
      expect(await state()).toMatchObject({
        position: poison - 1,
        failure: 'the receiver answered 422',
      });
      // A full batch is repeated unchanged before it is reduced.
      const full = receiver.requests.filter(({ events }) => events.length === 16);
      expect(full.filter(({ answer }) => answer === 422).length).toBeGreaterThanOrEqual(3);
      receiver.answer = 204;
      await eventually(state, (carota) => carota?.position === 40);
      const ids = receiver.settled().map((event) => event['event-id']);
      expect(ids).toHaveLength(40);
      expect(new Set(ids).size).toBe(40);
    },
  );

  test('a batch that may have been accepted (5xx) is never reduced', async () => {
    const receiver = await receiverAt('carota', 503);
    await store(8);
    await start(8);
    await eventually(
      () => {
        now += 3_600_000;
        return Promise.resolve(receiver.requests.length);
      },
      (tries) => tries >= 6,
    );
    const ids = receiver.requests.map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids).size).toBe(1);
  });

  test('a receiver that refuses or hangs does not hold up the others', async () => {
    const good = await receiverAt('good');
    await receiverAt('refusing', 503);
    await receiverAt('hanging', 'hang');
    await start(5, 500);
    await store(40);
    await all(good, 40);
    for (const { vin } of FLEET) {
      const times = good.settled().filter((event) => event.vin === vin);
      expect(times.map((event) => event['received-at'])).toEqual(
        times.map((event) => event['received-at']).sort((a, b) => a - b),
      );
    }
    expect(await findReceiver(database, 'refusing')).toMatchObject({ position: 0, behind: 40 });
    const hanging = await eventually(
      () => findReceiver(database, 'hanging'),
      (state) => (state?.failures ?? 0) > 0,
    );
    expect(hanging?.failure).toMatch(/did not answer in time/);
  });

  test('after a restart, the call-back continues where it stopped', async () => {
    const receiver = await receiverAt('carota');
    const first = await start(3);
    await store(7);
    await all(receiver, 7);
    await first.stop();
    await store(6);
    await start(3);
    await all(receiver, 13);
    expect(receiver.settled()).toHaveLength(13);
    expect(new Set(receiver.settled().map((event) => event['event-id'])).size).toBe(13);
  });

  test('two adapters deliver each event once, in order', async () => {
    const receiver = await receiverAt('carota');
    await start(2);
    await start(2);
    await store(30);
    await all(receiver, 30);
    expect(receiver.settled()).toHaveLength(30);
    const numbers = receiver.settled().map((event) => event['received-at']);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  });

  test('events are delivered again from a given time on', async () => {
    const receiver = await receiverAt('carota');
    const { stream } = await start(5);
    const [vehicle] = FLEET as [(typeof FLEET)[0]];
    for (let n = 1; n <= 6; n++) {
      await source.store([{ vehicle, status: 'downloading', n }], 1, now + n * 1_000);
    }
    await all(receiver, 6);
    expect(stream.position).toBe(6);
    const place = await positionBefore(database, now + 4_000);
    await moveReceiver(database, await idOf('carota'), place, now);
    await all(receiver, 9);
    const again = receiver.settled().slice(6);
    expect(again.map((event) => event['received-at'])).toEqual(
      [4, 5, 6].map((n) => now + n * 1_000),
    );
    const first = receiver.settled().slice(3, 6);
    expect(again.map((event) => event['event-id'])).toEqual(
      first.map((event) => event['event-id']),
    );
  });

  test('events are delivered again if the receiver is moved during a batch, even to the start of the batch', async () => {
    const receiver = await receiverAt('carota');
    receiver.answer = async () => {
      receiver.answer = 204;
      await moveReceiver(database, await idOf('carota'), 0, now);
      return 204;
    };
    await store(3);
    await start();
    await all(receiver, 6);
    const ids = receiver.settled().map((event) => event['event-id']);
    expect(ids.slice(3)).toEqual(ids.slice(0, 3));
  });

  test('a new secret signs at once; for a day, the old one signs too', async () => {
    const receiver = await receiverAt('carota');
    await start();
    const secret = newSigningSecret();
    await changeReceiver(database, await idOf('carota'), { secret }, now, box);
    await store(1);
    await all(receiver, 1);
    now += 25 * 3_600_000;
    await store(1);
    await all(receiver, 2);
    const [first, later] = receiver.requests as [
      TestReceiver['requests'][0],
      TestReceiver['requests'][0],
    ];
    const [, ...signatures] = String(first.headers['webhook-signature']).split(' ');
    expect(signatures).toHaveLength(1);
    expect(String(later.headers['webhook-signature']).split(' ')).toHaveLength(1);
    for (const key of [SECRET, secret]) {
      expect(
        new Webhook(key).verify(first.text, first.headers as Record<string, string>),
      ).toBeTruthy();
    }
  });

  test('a disabled receiver gets the events that it missed once it is enabled again', async () => {
    const receiver = await receiverAt('carota');
    await start();
    await changeReceiver(database, await idOf('carota'), { enabled: false }, now, box);
    await store(3);
    expect(receiver.requests).toEqual([]);
    await changeReceiver(database, await idOf('carota'), { enabled: true }, now, box);
    await all(receiver, 3);
  });

  test('the retention keeps events that a receiver has not received yet', async () => {
    await receiverAt('late', 500);
    const [vehicle] = FLEET as [(typeof FLEET)[0]];
    await start();
    await source.store([{ vehicle, status: 'received', n: 1 }], 1, now);
    const monthLater = now + 5 * WEEK;
    await eventually(
      () => findReceiver(database, 'late'),
      (state) => state?.behind === 1,
    );
    await dropHistory(database, monthLater);
    expect(await database.query('select vin from messages')).toHaveLength(1);
    await changeReceiver(database, await idOf('late'), { enabled: false }, now, box);
    await dropHistory(database, monthLater);
    expect(await database.query('select vin from messages')).toHaveLength(0);
  });
});

test.each([
  [newSigningSecret(), true],
  [`whsec_${Buffer.alloc(24).toString('base64')}`, true],
  [`whsec_${Buffer.alloc(23).toString('base64')}`, false],
  [`whsec_${Buffer.alloc(65).toString('base64')}`, false],
  ['whsec_not base64', false],
  [Buffer.alloc(32).toString('base64'), false],
])('%s is a secret: %s', (secret, expected) => {
  expect(isSigningSecret(secret)).toBe(expected);
});
