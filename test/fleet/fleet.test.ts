/** Simulated vehicles against the adapter: outages, duplicates and reordering do not affect the result. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  Fleet,
  fleetOf,
  registrationLine,
  type Scenario,
  scenarioOf,
} from '../../src/fleet/index.js';
import { eventually, platforms, type TestAdapter } from '../support/adapter.js';
import { sampleOf } from '../support/depth.js';

const SEED = 11;
const REF_ID = 'schedule fleet';
const vehicles = fleetOf(80);
const scenarios = new Map(vehicles.map(({ vin }) => [vin, scenarioOf(SEED, vin, REF_ID)]));

/** Events of a vehicle in a scenario; progress in steps of 10 %. */
function statusesOf({ outcome, stopsAt }: Scenario): string[] {
  const received = ['received', 'pki_check_success'];
  if (outcome === 'pki_check_fail') return ['received', 'pki_check_fail'];
  if (outcome === 'consent_rejected') return [...received, 'consent_rejected'];
  const tenths = (number: number) => Array.from({ length: number }, () => 'downloading');
  const begun = [...received, 'consent_accepted'];
  if (outcome === 'cancel' || outcome === 'download_fail') {
    return [...begun, ...tenths(stopsAt), outcome];
  }
  const pause = outcome === 'paused_and_resumed' ? ['pause', 'resume'] : [];
  const downloaded = [...begun, ...pause, ...tenths(10), 'downloaded'];
  if (outcome === 'md5_check_fail') return [...downloaded, outcome];
  const started = [...downloaded, 'md5_check_success', 'reboot'];
  return outcome === 'success' || outcome === 'paused_and_resumed'
    ? [...started, 'success']
    : [...started, 'failure', outcome];
}

const PLATFORMS = platforms();

// A quick run has one of them.
describe.each(sampleOf(PLATFORMS, PLATFORMS.length))('on $name', (platform) => {
  let adapter: TestAdapter;
  let fleet: Fleet;

  beforeAll(async () => {
    // A broker queues nothing for a vehicle that has never connected: the sender retries.
    adapter = await platform.start({
      retry: { firstPauseMs: 1_000, longestPauseMs: 1_000, maxSends: 30 },
    });
    await adapter.call('POST', '/v1.0/vehicles/import', {
      headers: { 'content-type': 'application/x-ndjson' },
      body: vehicles.map(registrationLine).join('\n'),
    });
    fleet = new Fleet({
      vehicles,
      mqttUrl: adapter.adapter.mqttUrl,
      seed: SEED,
      speed: 300,
    });
    fleet.start();
    await adapter.trigger(
      REF_ID,
      vehicles.map(({ vin }) => vin),
    );
    await eventually(
      () => Promise.resolve(fleet.counts.updatesEnded),
      (ended) => ended === vehicles.length,
    );
  });

  afterAll(async () => {
    await fleet.stop();
    await adapter.stop();
  });

  const ofOperation = (path = '') =>
    adapter.call('GET', `/v1.0/ota/operations/${encodeURIComponent(REF_ID)}${path}`);

  test('this seed includes outages, duplicates and reordering', () => {
    const some = [...scenarios.values()];
    expect(some.filter(({ outage }) => outage !== undefined).length).toBeGreaterThan(3);
    expect(some.filter(({ duplicates }) => duplicates).length).toBeGreaterThan(0);
    expect(some.filter(({ reorders }) => reorders).length).toBeGreaterThan(0);
  });

  test('every vehicle finishes as its scenario says, with its full history', async () => {
    await eventually(
      async () => (await ofOperation()).body.finished as number,
      (finished) => finished === vehicles.length,
    );
    for (const [vin, scenario] of scenarios) {
      const { outcome } = scenario;
      const due = statusesOf(scenario);
      // One acknowledgement, and each event once.
      const { body } = await eventually(
        () => ofOperation(`/vehicles/${vin}`),
        (answer) => answer.body.history.length === due.length + 1,
      );
      expect(body.state, vin).toBe(outcome === 'paused_and_resumed' ? 'success' : outcome);
      const seen = body.history.map(
        (entry: { 'status-name': string | null }) => entry['status-name'],
      );
      expect(seen.toSorted(), vin).toEqual([null, ...due].toSorted());
    }
  });

  test('duplicates were recognised, and every received message is accounted for', async () => {
    expect(await adapter.metric('otaops_messages_duplicate_total')).toBeGreaterThan(0);
    expect(await adapter.metric('otaops_messages_dead_letter_total')).toBe(0);
    expect(await adapter.storedMessages()).toBeGreaterThan(fleet.counts.messagesDelivered);
  });
});
