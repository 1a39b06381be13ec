/** A fleet of foreign vehicles and its final check: each message stored once, in order. */
import { expect } from 'vitest';
import { type AdapterProcess } from '../../src/test-bed/index.js';
import {
  controlApi,
  eventApi,
  type PulledEvents,
  registryApi,
  triggerApi,
} from '../../src/contract/adapter-api/index.js';
import { fleetOf, registrationLine } from '../../src/fleet/index.js';
import { ForeignVehicle } from '../support/foreign-vehicle.js';
import { say } from '../support/dice.js';
import { eventBytes } from '../support/messages.js';

export interface ForeignFleetOptions {
  readonly ports: readonly number[];
  readonly vehicles: number;
  /** Mean interval between two messages of a vehicle, ms. */
  readonly pauseMs: number;
}

const REF_ID = 'foreign';
const PAGE = 5_000;

/** An operation for the vehicles' events; nothing is sent to them. */
export async function prepareOperation(adapter: AdapterProcess, vehicles: number): Promise<void> {
  const fleet = fleetOf(vehicles);
  const lines = fleet.map(registrationLine).join('\n');
  await adapter.client.call(registryApi.importVehicles, {
    content: { type: 'application/x-ndjson', body: lines },
  });
  const trigger = (vins: string[]) => ({
    time: Date.now(),
    version: 'v1' as const,
    body: { model: 'm', 'ref-id': REF_ID, 'script-ref-id': 's', vins },
  });
  const vins = fleet.map(({ vin }) => vin);
  await adapter.client.call(triggerApi.trigger, { body: trigger(vins.slice(0, 1)) });
  await adapter.client.call(controlApi.pauseOperation, { params: { 'ref-id': REF_ID } });
  await adapter.client.call(triggerApi.trigger, { body: trigger(vins) });
}

export class ForeignFleet {
  readonly #vehicles = new Map<string, ForeignVehicle>();
  /** Time of each message's acknowledgement, ms, by VIN and number. */
  readonly #acknowledgedAt = new Map<string, number[]>();

  constructor({ ports, vehicles, pauseMs }: ForeignFleetOptions) {
    for (const vehicle of fleetOf(vehicles)) {
      const times: number[] = [];
      this.#acknowledgedAt.set(vehicle.vin, times);
      this.#vehicles.set(
        vehicle.vin,
        new ForeignVehicle({
          ports,
          systemId: vehicle.systemId,
          next: (n) =>
            eventBytes(vehicle, {
              messageId: `msg-dev-${vehicle.vin}-${n}`,
              correlationId: 'msg-cld-unknown',
              refId: REF_ID,
              status: 'downloading',
              timestamp: Date.now(),
              meta: [{ key: 'n', value: String(n) }],
            }),
          pauseMs: () => Math.random() * 2 * pauseMs,
          onAcknowledged: () => times.push(Date.now()),
        }),
      );
    }
  }

  get acknowledged(): number {
    let sum = 0;
    for (const { acknowledged } of this.#vehicles.values()) sum += acknowledged;
    return sum;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#vehicles.values()].map((vehicle) => vehicle.stop()));
  }

  /**
   * Waits for messages in flight, then compares. The fleet must have been stopped.
   *
   * @param mayMiss whether a message that was acknowledged at that time may be missing
   * @returns the number of missing messages
   */
  async verify(
    adapter: AdapterProcess,
    mayMiss: (acknowledgedAt: number) => boolean = () => false,
  ): Promise<number> {
    const deadline = Date.now() + 60_000;
    let stored = await storedMessages(adapter);
    while (this.#missing(stored).length > 0 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      const now = await storedMessages(adapter);
      const isStill = sizeOf(now) === sizeOf(stored) && mayMiss !== never;
      stored = now;
      if (isStill && Date.now() > deadline - 50_000) break;
    }
    const missing = this.#missing(stored);
    say(`${this.acknowledged} acknowledged, ${sizeOf(stored)} stored, ${missing.length} missing`);
    const lost = missing.filter(({ at }) => !mayMiss(at));
    expect(lost.map(({ vin, n }) => `${vin} ${n}`)).toEqual([]);
    for (const [vin, numbers] of stored) {
      expect(new Set(numbers).size, `${vin} twice`).toBe(numbers.length);
      expect(numbers, `order of ${vin}`).toEqual([...numbers].sort((a, b) => a - b));
    }
    return missing.length;
  }

  #missing(stored: ReadonlyMap<string, readonly number[]>) {
    return [...this.#acknowledgedAt].flatMap(([vin, times]) => {
      const there = new Set(stored.get(vin));
      return times.map((at, n) => ({ vin, n, at })).filter(({ n }) => !there.has(n));
    });
  }
}

const never = () => false;

const sizeOf = (stored: ReadonlyMap<string, readonly number[]>) =>
  [...stored.values()].reduce((sum, { length }) => sum + length, 0);

/** The numbers of each vehicle's events, in the order of the event stream. */
async function storedMessages(adapter: AdapterProcess): Promise<Map<string, number[]>> {
  const stored = new Map<string, number[]>();
  for (let cursor = '0', more = true; more;) {
    const page: PulledEvents = await adapter.client.call(eventApi.pullEvents, {
      query: { after: cursor, limit: PAGE },
    });
    for (const { vin, meta } of page.events) {
      const numbers = stored.get(vin) ?? [];
      numbers.push(Number(meta.find(({ key }) => key === 'n')?.value));
      stored.set(vin, numbers);
    }
    ({ cursor, more } = page);
  }
  return stored;
}
