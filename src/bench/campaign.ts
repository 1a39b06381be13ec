/** The waiting times of a campaign: for the trigger, and for a single event. */
import { performance } from 'node:perf_hooks';
import { insightApi, operationApi } from '../contract/adapter-api/index.js';
import { eventSource } from './event-source.js';
import { readFileSync } from 'node:fs';
import { RawClient } from './raw-client.js';
import { median, percentile } from './report.js';
import { type Rig, until } from './rig.js';

export interface TriggerTimes {
  /** Seconds from the request to its 202. */
  readonly accepted: number;
  /** Seconds from the request until the last OTA_TRIGGER came out of the broker. */
  readonly published: number;
}

/** A trigger for all the VINs; medians of the rounds. @param first number of the first round */
export async function triggerTimes(
  rig: Rig,
  vins: readonly string[],
  rounds: number,
  first = 0,
): Promise<TriggerTimes> {
  const times: TriggerTimes[] = [];
  for (let round = first; round < first + rounds; round++) {
    const refId = `trigger-${round}`;
    await rig.load.connect({
      port: rig.brokerPort,
      vehiclesFile: '/dev/null',
      refId,
      run: refId,
      connections: 1,
      asVehicles: false,
      listenTo: 'c2d/+',
    });
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    await rig.trigger(refId, vins);
    const accepted = seconds();
    await until(async () => (await rig.load.received()) >= vins.length, 10);
    times.push({ accepted, published: seconds() });
    await rig.control(refId, 'cancel');
  }
  return {
    accepted: median(times.map(({ accepted }) => accepted)),
    published: median(times.map(({ published }) => published)),
  };
}

export interface Latency {
  /** ms */
  readonly p50: number;
  readonly p99: number;
}

/** From the publishing of one event to its being visible in the HTTP interface. */
export async function eventLatency(
  rig: Rig,
  { refId, vehiclesFile }: { refId: string; vehiclesFile: string },
  samples: number,
): Promise<Latency> {
  const [line = ''] = readFileSync(vehiclesFile, 'utf8').split('\n').slice(-1);
  const [vin = '', systemId = '', triggerId = ''] = line.split(' ');
  const next = eventSource([{ vin, systemId, triggerId }], refId, `latency-${Date.now()}`);
  const client = await RawClient.connect({ port: rig.brokerPort, clientId: 'bench-latency' });
  const params = { 'ref-id': refId, vin };
  const historyLength = async () =>
    (await rig.adapter.client.call(operationApi.getOperationVehicle, { params })).history.length;
  const before = await historyLength();
  const times: number[] = [];
  for (let n = 0; n < samples; n++) {
    const { topic, payload } = next(n);
    const started = performance.now();
    client.publish(topic, payload);
    while ((await historyLength()) < before + n + 1) continue;
    times.push(performance.now() - started);
  }
  client.close();
  return { p50: percentile(times, 50), p99: percentile(times, 99) };
}

/** Time of a progress query; median, ms. */
export async function progressQueryTime(rig: Rig, refId: string, samples: number): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < samples; n++) {
    const started = performance.now();
    await rig.adapter.client.call(operationApi.getOperation, { params: { 'ref-id': refId } });
    times.push(performance.now() - started);
  }
  return median(times);
}

/** Time of the first summary of an operation, which none that was made lately answers; ms. */
export async function summaryTime(rig: Rig, refId: string): Promise<number> {
  const started = performance.now();
  await rig.adapter.client.call(insightApi.getSummary, { params: { 'ref-id': refId } });
  return performance.now() - started;
}
