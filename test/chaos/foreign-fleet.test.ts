/** The chaos suite's check against a real adapter: it detects faults injected between vehicles and broker. */
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

/** @param numbers message numbers that one vehicle sends instead of 0, 1, 2 …; the other vehicle has no fault */
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

test('an acknowledged message that another one replaced is lost', async () => {
  const fleet = await drive([0, 1, 2, 3, 3]);
  // A PUBACK of the embedded broker means that the message is stored; its event appears in the event stream later.
  const found = await eventually(
    () => fleet.compare({ client }),
    ({ lost }) => lost.length <= 1,
  );
  expect(found).toEqual({ ...NONE, lost: [`${FAULTY} 4`] });
});

test('without a fault, the check finds no deviation', async () => {
  const fleet = await drive([]);
  const found = await eventually(
    () => fleet.compare({ client }),
    ({ lost }) => lost.length === 0,
  );
  expect(found).toEqual(NONE);
});
