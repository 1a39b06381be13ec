/** The simulated fleet: reproducible, with a mix of all outcomes. */
import { expect, test } from 'vitest';
import { comesOnlineAfterMs, fleetOf, scenarioOf } from '../../src/fleet/index.js';
import { parseVin, vinCheckDigit } from '../../src/contract/index.js';

const vehicles = fleetOf(10_000);

test('equal seeds give equal fleets, different seeds different ones', () => {
  const play = (seed: number) =>
    vehicles.slice(0, 200).map(({ vin }) => scenarioOf(seed, vin, 'operation'));
  expect(play(7)).toEqual(play(7));
  expect(play(7)).not.toEqual(play(8));
});

test('10,000 VINs are distinct and valid, with correct check digits', () => {
  expect(new Set(vehicles.map(({ vin }) => vin)).size).toBe(10_000);
  const isValid = (vin: string) => parseVin(vin) === vin && vin[8] === vinCheckDigit(vin);
  expect(vehicles.filter(({ vin }) => !isValid(vin))).toEqual([]);
});

test('the mix includes each outcome, slow downloads, outages, late vehicles and faults', () => {
  const scenarios = vehicles.map(({ vin }) => scenarioOf(1, vin, 'operation'));
  const share = (matching: (scenario: (typeof scenarios)[number]) => boolean) =>
    scenarios.filter(matching).length / scenarios.length;
  const expected = {
    success: 0.66,
    paused_and_resumed: 0.07,
    consent_rejected: 0.06,
    download_fail: 0.04,
    md5_check_fail: 0.03,
    pki_check_fail: 0.03,
    rollback_success: 0.06,
    rollback_fail: 0.01,
    cancel: 0.04,
  };
  for (const [outcome, probability] of Object.entries(expected)) {
    const seen = share((scenario) => scenario.outcome === outcome);
    // Four standard deviations of a binomial count.
    const tolerance = 4 * Math.sqrt((probability * (1 - probability)) / scenarios.length);
    expect(Math.abs(seen - probability), outcome).toBeLessThan(tolerance);
  }
  expect(share(({ outage }) => outage !== undefined)).toBeGreaterThan(0.1);
  expect(share(({ duplicates }) => duplicates)).toBeGreaterThan(0.02);
  expect(share(({ reorders }) => reorders)).toBeGreaterThan(0.02);
  const late = vehicles.filter(({ vin }) => comesOnlineAfterMs(1, vin) > 0).length;
  expect(late / vehicles.length).toBeGreaterThan(0.05);
  const slow = scenarios.filter(({ durations }) => durations.tenth > 20_000).length;
  expect(slow / scenarios.length).toBeGreaterThan(0.05);
});
