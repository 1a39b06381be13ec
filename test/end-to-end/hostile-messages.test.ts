/**
 * One vehicle sends anything that JSON can express, over MQTT through the adapter and its call-back into the CarOTA
 * Server's database. The event that a healthy vehicle sends next arrives each time, and every message is accounted for.
 *
 * `HOSTILE_CASES=20000 npx vitest run test/end-to-end/hostile-messages.test.ts` for the long run.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventDigest } from '../../src/contract/index.js';
import { MODEL, SECRET, startTestCarota } from '../carota/support/test-carota.js';
import { eventually, platforms } from '../support/adapter.js';
import { emptyPostgresUrl } from '../support/databases.js';
import { byDepth, seed } from '../support/depth.js';
import { eventBytes, vehicleOf } from '../support/messages.js';
import { connectVehicle } from '../support/mqtt-vehicle.js';
import { freePort } from '../support/servers.js';
import { hostileMessage } from './support/hostile-messages.js';

const CASES = Number(process.env.HOSTILE_CASES ?? byDepth({ quick: 20, full: 200 }));
const REF_ID = 'hostile messages';
const PATH = `/v1.0/schedules/${encodeURIComponent(REF_ID)}`;
const HEALTHY = vehicleOf(1, 'HEA');
const HOSTILE = vehicleOf(2, 'HSA');
/** Real servers if installed, otherwise the embedded ones. */
const [platform] = platforms().reverse();

test(
  `of ${CASES} hostile messages, none delays another vehicle`,
  async () => {
    if (!platform) return;
    const adapterPort = await freePort();
    const adapter = await platform.start({
      httpPort: adapterPort,
      callbackAllow: ['127.0.0.0/8'],
    });
    const carota = await startTestCarota(adapter.adapter.httpUrl, {
      adapterToken: adapter.token,
      databaseUrl: await emptyPostgresUrl(),
    });
    const connect = (vehicle: typeof HEALTHY) => connectVehicle(adapter.adapter.mqttUrl, vehicle);
    await adapter.register(HEALTHY, HOSTILE);
    const healthy = await connect(HEALTHY);
    const hostile = await connect(HOSTILE);
    try {
      await adapter.call('POST', '/v1.0/callbacks', {
        body: { name: 'carota', url: `${carota.carota.httpUrl}/v1.0/ota/events`, secret: SECRET },
      });
      await carota.publish('hu only 001');
      await carota.call('POST', '/v1.0/schedules', {
        body: {
          ...{ 'ref-id': REF_ID, 'script-ref-id': 'hu only 001', model: MODEL },
          vins: [HEALTHY.vin, HOSTILE.vin],
          guard: {
            test: { tolerated: 0.01, intolerable: 0.9, falseStop: 1e-300, missedStop: 1e-300 },
          },
        },
      });
      await healthy.receive();
      await hostile.receive();

      let sent = 0;
      const arrived = async (messageId: string) => {
        const id = `evt-${eventDigest(REF_ID, HEALTHY.systemId, messageId)}`;
        const { body } = await carota.call('GET', `${PATH}/vehicles/${HEALTHY.vin}`);
        return (body.events as { 'event-id': string }[]).some((event) => event['event-id'] === id);
      };
      await fc.assert(
        fc.asyncProperty(hostileMessage, async (written) => {
          const n = sent;
          const now = Date.now() + n;
          const facts = { vehicle: HOSTILE, refId: REF_ID, messageId: `msg-dev-hostile-${n}`, now };
          const message = written(facts);
          await hostile.send(message);
          const messageId = `msg-dev-healthy-${n}`;
          await healthy.send(
            eventBytes(HEALTHY, {
              ...{ messageId, correlationId: '', refId: REF_ID, status: 'downloading' },
              timestamp: now,
            }),
          );
          sent += 2;
          await eventually(() => arrived(messageId), Boolean).catch(() => {
            const text = message.toString().slice(0, 20_000);
            throw new Error(`nothing arrives any more after ${text}`);
          });
          // Applied + duplicates + dead letters = received (contract section 5.6).
          await eventually(
            () => adapter.storedMessages(),
            (stored) => stored === sent,
          );
        }),
        { numRuns: CASES, seed, endOnFailure: true },
      );
      // The adapter applied some and rejected others, and the CarOTA Server could store those applied.
      const applied = await adapter.metric('otaops_messages_applied_total');
      expect(applied).toBeGreaterThan(CASES);
      expect(applied).toBeLessThan(sent);
      const { body } = await carota.call('GET', '/v1.0/refused-events');
      expect(body.items).toEqual([]);
      expect((await carota.call('GET', PATH)).body.status).toBe('running');
    } finally {
      await healthy.end();
      await hostile.end();
      await adapter.stop();
      await carota.stop();
    }
  },
  180_000 + CASES * 2_000,
);
