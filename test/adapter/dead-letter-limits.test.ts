/** A vehicle that floods the adapter with messages that cannot be applied fills neither disk nor list. */
import { afterEach, expect, test } from 'vitest';
import { startTestAdapter, type TestAdapter } from '../support/adapter.js';
import { type TestVehicle, vehicleOf } from '../support/messages.js';
import { connectVehicle } from '../support/mqtt-vehicle.js';

let t: TestAdapter;
afterEach(() => t.stop());

const [flooder, honest] = [vehicleOf(1, 'DLX'), vehicleOf(2, 'DLX')];
/** Sends this many invalid messages at once, all different. */
async function send(vehicle: TestVehicle, messages: number, bytes = 100): Promise<void> {
  const link = await connectVehicle(t.adapter.mqttUrl, vehicle);
  await Promise.all(
    Array.from({ length: messages }, (_, n) => link.send(`${n} of ${vehicle.vin}`.padEnd(bytes))),
  );
  await link.end();
}
const kept = async () => {
  const { body } = await t.call('GET', '/v1.0/dead-letters?limit=500');
  const items = body.items as { system_id: string }[];
  return (vehicle: TestVehicle) =>
    items.filter(({ system_id: id }) => id === vehicle.systemId).length;
};

test('a limited number is kept per vehicle, and the rest are counted', async () => {
  t = await startTestAdapter({ deadLetterLimits: { perVehicle: 10, bytes: 1e9 } });
  await t.register(flooder, honest);
  await send(flooder, 300);
  await send(honest, 5);
  const number = await kept();
  // Batches stored at the same time do not see each other, but those of one vehicle are stored one by one.
  expect(number(flooder)).toBe(10);
  expect(number(honest)).toBe(5);
  // Received = applied + duplicates + dead letters, including those only counted (contract section 5.6).
  expect(await t.storedMessages()).toBe(305);
  expect(await t.metric('otaops_messages_dead_letter_total')).toBe(305);
  expect(await t.metric('otaops_dead_letters_not_kept')).toBe(290);
  expect(await t.metric('otaops_dead_letter_flooders')).toBe(1);
  expect(await t.metric('otaops_limit_refusals_total{limit="dead-letters"}')).toBe(290);
});

test('a message that is already kept is a duplicate, not another dead letter', async () => {
  t = await startTestAdapter({ deadLetterLimits: { perVehicle: 10, bytes: 1e9 } });
  await t.register(flooder);
  await send(flooder, 10);
  await send(flooder, 10);
  expect(await t.metric('otaops_messages_dead_letter_total')).toBe(10);
  expect(await t.metric('otaops_messages_duplicate_total')).toBe(10);
  expect(await t.metric('otaops_dead_letters_not_kept')).toBe(0);
});

test('a flood of large messages does not exceed the total size', async () => {
  t = await startTestAdapter({ deadLetterLimits: { perVehicle: 1_000, bytes: 500_000 } });
  await t.register(flooder, honest);
  for (let round = 0; round < 4; round++) await send(flooder, 5, 100_000 + round);
  const number = await kept();
  expect(number(flooder)).toBeGreaterThanOrEqual(5);
  expect(number(flooder)).toBeLessThan(12);
  expect(await t.metric('otaops_messages_dead_letter_total')).toBe(20);
  expect(await t.metric('otaops_dead_letters_not_kept')).toBe(20 - number(flooder));
});
