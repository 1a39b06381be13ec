/** A vehicle that sends well-formed events without end neither fills the database nor delays anyone. */
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { MessageBudget } from '../../src/adapter/d2c-receiver/index.js';
import { type AdapterSettings } from '../../src/adapter/index.js';
import { eventually, platformsInTurn, type TestAdapter } from '../support/adapter.js';
import { byDepth, cases } from '../support/depth.js';
import { eventBytes, vehicleOf } from '../support/messages.js';
import { connectVehicle, type MqttVehicle } from '../support/mqtt-vehicle.js';

describe('A budget', () => {
  test('allows its burst at once, and its rate afterwards', () => {
    const budget = new MessageBudget({ burst: 3, perHour: 3_600 });
    expect([0, 0, 0, 0].map((now) => budget.take('a', now))).toEqual([0, 0, 0, 1_000]);
    expect(budget.take('b', 0)).toBe(0);
    expect(budget.take('a', 999)).toBe(1);
    expect(budget.take('a', 1_000)).toBe(0);
    expect(budget.take('a', 1_000)).toBe(1_000);
    // Full again, and not more than full.
    expect([1e9, 1e9, 1e9, 1e9].map((now) => budget.take('a', now))).toEqual([0, 0, 0, 1_000]);
  });

  test('is kept only for vehicles that have used some of it recently', () => {
    const budget = new MessageBudget({ burst: 3, perHour: 3_600 });
    for (let n = 0; n < 100_000; n++) budget.take(`vehicle ${n}`, n);
    expect(budget.vehicles).toBeLessThan(20_000);
  });

  test('is not kept for vehicles that rarely send, however many there are', () => {
    const budget = new MessageBudget({ burst: 5_000, perHour: 360 });
    // 30,000 messages per second of a million vehicles.
    const messages = byDepth({ quick: 200_000, full: 1_000_000 });
    for (let n = 0; n < messages; n++) budget.take(`c2c-system-${n % 300_000}`, n / 30);
    expect(budget.vehicles).toBe(0);
  });

  test('is never exceeded, and bounds what a vehicle loses by sharing a bucket', () => {
    const vehicle = fc.integer({ min: 0, max: 11 });
    const message = fc.tuple(vehicle, fc.nat(60), fc.nat(3_000));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.constantFrom(1, 2, 8),
        fc.array(message, { maxLength: 60 }),
        (burst, buckets, sent) => {
          const interval = 1_000;
          const budget = new MessageBudget({ burst, perHour: 3_600 }, buckets);
          const missed = (Math.floor(burst * 0.02) + 1) * interval;
          const exact = new Map<number, number>();
          let now = 1e12;
          for (const [name, messages, pause] of sent) {
            now += pause;
            for (let n = 0; n < messages; n++) {
              const fullAt = Math.max(exact.get(name) ?? 0, now);
              const wait = fullAt - now - (burst - 1) * interval;
              if (budget.take(`vehicle ${name}`, now) === 0) {
                if (wait > 0) expect.fail(`exceeded by ${wait} ms`);
                exact.set(name, fullAt + interval);
              } else if (wait + missed <= 0) expect.fail(`refused ${-wait} ms too late`);
            }
          }
        },
      ),
      cases({ quick: 100, full: 100 }),
    );
  });

  test('gives a vehicle alone in its bucket the full burst', () => {
    const budget = new MessageBudget({ burst: 5_000, perHour: 1 });
    const taken = Array.from({ length: 6_000 }, () => budget.take('c2c-system-1', 0));
    expect(taken.filter((wait) => wait === 0)).toHaveLength(5_000);
  });

  test('of 0 limits nothing', () => {
    const budget = new MessageBudget({ burst: 0, perHour: 1 });
    expect(new Set(Array.from({ length: 1_000 }, () => budget.take('a', 0)))).toEqual(new Set([0]));
  });
});

const [flooder, honest] = [vehicleOf(1, 'FLD'), vehicleOf(2, 'FLD')];
const REF = 'flooded';
const ANY = { correlationId: 'none', timestamp: 1_790_000_000 };
const SUCCESS = eventBytes(honest, {
  refId: REF,
  status: 'success',
  messageId: 'msg-dev-success',
  ...ANY,
});
const progressOf = (n: number) =>
  eventBytes(flooder, {
    refId: REF,
    status: 'downloading',
    messageId: `msg-dev-${n}`,
    ...ANY,
    meta: [{ key: 'n', value: String(n) }],
  });
const BURST = 20;
const FLOOD = 300;

describe.each(platformsInTurn())('On $name', (platform) => {
  const { isEmbedded } = platform;
  let t: TestAdapter;
  const links: MqttVehicle[] = [];
  afterEach(async () => {
    await Promise.all(links.splice(0).map((link) => link.end().catch(() => undefined)));
    await t.stop();
  });

  const connect = async (vehicle: typeof flooder) => {
    const link = await connectVehicle(t.adapter.mqttUrl, vehicle);
    links.push(link);
    return link;
  };
  const startWith = async (settings: Partial<AdapterSettings>) => {
    t = await platform.start(settings);
    await t.register(flooder, honest);
    await t.trigger(REF, [flooder.vin, honest.vin]);
  };
  const messagesOf = async (vin: string) =>
    (await t.call('GET', `/v1.0/ota/operations/${REF}/vehicles/${vin}`)).body;
  /** Sends well-formed events, all different. @returns how many are acknowledged so far */
  const flood = (link: MqttVehicle, messages: number) => {
    let acknowledged = 0;
    for (let n = 0; n < messages; n++) {
      link.send(progressOf(n)).then(
        () => (acknowledged += 1),
        () => undefined,
      );
    }
    return () => acknowledged;
  };

  test('a flood of valid events is limited to the budget and reported, and others continue', async () => {
    await startWith({ messageBudget: { burst: BURST, perHour: 1 } });
    const link = await connect(flooder);
    const acknowledged = flood(link, FLOOD);
    await eventually(
      () => t.metric('otaops_messages_applied_total'),
      (applied) => applied >= BURST,
    );
    const other = await connect(honest);
    await other.send(SUCCESS);
    await eventually(
      async () => (await messagesOf(honest.vin)).state,
      (state) => state === 'success',
    );
    await eventually(
      () => t.metric('otaops_flooding_vehicles'),
      (vehicles) => vehicles === 1,
    );
    // The burst, and one event of the honest vehicle: no hour has passed.
    expect(await t.metric('otaops_messages_applied_total')).toBe(BURST + 1);
    const { body } = await t.call('GET', `/v1.0/vehicles/${flooder.vin}`);
    expect(Date.parse(body.floodedAt)).toBeGreaterThan(0);
    expect((await t.call('GET', `/v1.0/vehicles/${honest.vin}`)).body.floodedAt).toBeNull();
    expect(await t.metric('otaops_limit_refusals_total{limit="vehicle-messages"}')).toBeGreaterThan(
      0,
    );
    if (isEmbedded) {
      // The rest have no PUBACK, so the vehicle still has them.
      expect(acknowledged()).toBe(BURST);
      expect(await t.metric('otaops_messages_dead_letter_total')).toBe(0);
    } else {
      await eventually(
        () => t.metric('otaops_messages_dead_letter_total'),
        (letters) => letters === FLOOD - BURST,
      );
      const letters = await t.call('GET', '/v1.0/dead-letters?limit=1');
      expect(letters.body.items[0]).toMatchObject({ reason: 'MESSAGE_BUDGET_EXCEEDED' });
    }
    await t.storedMessages();
  });

  test.runIf(isEmbedded)(
    'waiting messages are stored, in order, as the budget allows',
    async () => {
      // One every 20 ms.
      await startWith({ messageBudget: { burst: BURST, perHour: 180_000 } });
      const link = await connect(flooder);
      const acknowledged = flood(link, 100);
      await eventually(
        async () => acknowledged(),
        (number) => number === 100,
      );
      expect(await t.metric('otaops_messages_applied_total')).toBe(100);
      // Events get their positions after they are stored.
      const { body } = await eventually(
        () => t.call('GET', `/v1.0/ota/events?limit=500`),
        ({ body: { events } }) => events.length === 100,
      );
      const order = body.events.map(({ meta }: { meta: { value: string }[] }) => meta[0]?.value);
      expect(order).toEqual(Array.from({ length: 100 }, (_, n) => String(n)));
    },
  );

  test.runIf(isEmbedded)(
    'waiting messages of a closed connection are dropped; the vehicle repeats them',
    async () => {
      await startWith({ messageBudget: { burst: BURST, perHour: 1 } });
      const link = await connect(flooder);
      flood(link, FLOOD);
      await eventually(
        () => t.metric('otaops_messages_applied_total'),
        (applied) => applied === BURST,
      );
      for (let n = 0; n < 20; n++) {
        const again = await connect(flooder);
        flood(again, 50);
        again.client.stream.destroy();
      }
      const other = await connect(honest);
      await other.send(SUCCESS);
      expect(await t.metric('otaops_messages_applied_total')).toBe(BURST + 1);
    },
  );
});
