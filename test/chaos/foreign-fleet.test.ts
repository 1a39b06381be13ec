/** The chaos suite's check on a real adapter: it sees faults that are planted between vehicles and broker. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Client } from '../../src/contract/index.js';
import { fleetOf } from '../../src/fleet/index.js';
import { eventually, startTestAdapter, type TestAdapter } from '../support/adapter.js';
import { NONE } from './deviations.js';
import { ForeignFleet, prepareOperation } from './foreign-fleet.js';

const VEHICLES = fleetOf(2);
const [FAULTY = ''] = VEHICLES.map(({ vin }) => vin);

let adapter: TestAdapter;
let client: Client;
beforeEach(async () => {
  adapter = await startTestAdapter();
  client = new Client({ url: adapter.adapter.httpUrl, token: adapter.token });
  await prepareOperation({ client }, VEHICLES);
});
afterEach(() => adapter.stop());

/** @param numbers what one of the vehicles sends in place of 0, 1, 2 …; the other one has no fault */
async function drive(numbers: readonly number[]): Promise<ForeignFleet> {
  const fleet = new ForeignFleet({
    vehicles: VEHICLES,
    ports: [Number(new URL(adapter.adapter.mqttUrl).port)],
    signIn: true,
    pauseMs: 0,
    planted: (vin, n) => (vin === FAULTY ? numbers[n] : undefined) ?? n,
  });
  const counts = () => [...fleet.sent().values()].map(({ acknowledged }) => acknowledged.size);
  while (Math.min(...counts()) < 10) await new Promise((resolve) => setTimeout(resolve, 5));
  await fleet.stop();
  return fleet;
}

test('a message that overtakes another one fails the check', async () => {
  const fleet = await drive([0, 1, 2, 4, 3]);
  await expect(fleet.verify({ client })).rejects.toMatchObject({
    actual: { ...NONE, outOfOrder: [`${FAULTY} 3`] },
  });
});

test('a message that was acknowledged, and that another one replaced, is lost', async () => {
  const fleet = await drive([0, 1, 2, 3, 3]);
  // PUBACK of the embedded broker means that it is stored; the event stream follows.
  const found = await eventually(
    () => fleet.compare({ client }),
    ({ lost }) => lost.length <= 1,
  );
  expect(found).toEqual({ ...NONE, lost: [`${FAULTY} 4`] });
});

test('without a fault nothing deviates', async () => {
  const fleet = await drive([]);
  const found = await eventually(
    () => fleet.compare({ client }),
    ({ lost }) => lost.length === 0,
  );
  expect(found).toEqual(NONE);
});
