/**
 * A fleet of foreign vehicles, which never repeat an acknowledged message, and its final check: no message is lost,
 * duplicated or out of order.
 */
import { expect } from 'vitest';
import { type Client, type EventStatusName } from '../../src/contract/index.js';
import {
  controlApi,
  eventApi,
  type PulledEvents,
  registryApi,
  triggerApi,
} from '../../src/contract/adapter-api/index.js';
import { type FleetVehicle, registrationLine } from '../../src/fleet/index.js';
import { ForeignVehicle } from '../support/foreign-vehicle.js';
import { say } from '../support/dice.js';
import { eventBytes } from '../support/messages.js';
import { type Deviations, deviations, NONE, type SentMessages } from './deviations.js';
import { whenAvailable } from './when-available.js';

export interface ForeignFleetOptions {
  readonly vehicles: readonly FleetVehicle[];
  /** Ports of the broker on 127.0.0.1. */
  readonly ports: readonly number[];
  /** Whether the vehicles sign in, as the embedded broker requires. */
  readonly signIn?: boolean;
  /** Mean interval between two messages of a vehicle, ms. */
  readonly pauseMs: number;
  /** Faults injected by a test: the number of the message that a vehicle sends instead of its n-th. */
  readonly planted?: (vin: string, n: number) => number;
}

/** `ref-id` of the foreign vehicles' operation. */
export const FOREIGN = 'foreign';
/**
 * Statuses in turn. Each may be a vehicle's newest: the check compares the order of storage, not the vehicle's state.
 */
const STATUSES: readonly EventStatusName[] = ['downloading', 'pause', 'resume'];
const PAGE = 5_000;
const PATIENCE_MS = 60_000;
/**
 * A message counts as missing if nothing new has been stored for this long, ms: an adapter may wait 20 s for a statement on a
 * half-open connection before it stores what it has read.
 */
const STILL_MS = 25_000;

interface Adapter {
  readonly client: Client;
}

/** Creates an operation for the vehicles' events. It is paused, so nothing is sent to them. */
export async function prepareOperation(
  { client }: Adapter,
  vehicles: readonly FleetVehicle[],
): Promise<void> {
  await client.call(registryApi.importVehicles, {
    content: { type: 'application/x-ndjson', body: vehicles.map(registrationLine).join('\n') },
  });
  const trigger = (vins: string[]) => ({
    time: Date.now(),
    version: 'v1' as const,
    body: { model: 'm', 'ref-id': FOREIGN, 'script-ref-id': 's', vins },
  });
  const vins = vehicles.map(({ vin }) => vin);
  await client.call(triggerApi.trigger, { body: trigger(vins.slice(0, 1)) });
  await client.call(controlApi.pauseOperation, { params: { 'ref-id': FOREIGN } });
  await client.call(triggerApi.trigger, { body: trigger(vins) });
}

interface Driven {
  readonly vehicle: ForeignVehicle;
  /** Time of each message's acknowledgement, ms, by its number. */
  readonly acknowledgedAt: number[];
}

export class ForeignFleet {
  readonly #driven = new Map<string, Driven>();
  #resumed: Promise<unknown> | undefined;

  constructor(options: ForeignFleetOptions) {
    const { vehicles, ports, signIn = false, pauseMs, planted = (_vin, n) => n } = options;
    for (const vehicle of vehicles) {
      const acknowledgedAt: number[] = [];
      const foreign = new ForeignVehicle({
        ports,
        systemId: vehicle.systemId,
        ...(signIn ? { credential: vehicle.credential } : {}),
        next: (n) => eventOf(vehicle, planted(vehicle.vin, n)),
        pauseMs: () => Math.random() * 2 * pauseMs,
        whenReady: () => this.#resumed,
        onAcknowledged: () => acknowledgedAt.push(Date.now()),
      });
      this.#driven.set(vehicle.vin, { vehicle: foreign, acknowledgedAt });
    }
  }

  get acknowledged(): number {
    let sum = 0;
    for (const { acknowledgedAt } of this.#driven.values()) sum += acknowledgedAt.length;
    return sum;
  }

  /** While the work runs, the vehicles send no new messages; messages in flight are still acknowledged. */
  async whilePaused<T>(work: () => Promise<T>): Promise<T> {
    const done = work();
    this.#resumed = done.catch(() => undefined);
    return done;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#driven.values()].map(({ vehicle }) => vehicle.stop()));
  }

  /** What the vehicles have sent and what was acknowledged to them so far; a message in flight counts as sent. */
  sent(): Map<string, SentMessages> {
    return new Map(
      [...this.#driven].map(
        ([
          vin,
          {
            acknowledgedAt: { length },
          },
        ]) => {
          const sent = Array.from({ length: length + 1 }, (_, n) => String(n));
          return [vin, { sent, acknowledged: new Set(sent.slice(0, length)) }];
        },
      ),
    );
  }

  /**
   * Waits for messages in flight, then compares what was sent with what is stored. The fleet must be stopped or
   * paused.
   *
   * @param adapter the adapter whose event stream is read
   * @param mayMiss whether a message that was acknowledged at this time may be missing
   * @param maxLate the number of messages that may be stored behind a newer one of their vehicle
   * @returns the number of missing and the number of stored messages
   */
  async verify(
    adapter: Adapter,
    mayMiss?: (acknowledgedAt: number) => boolean,
    maxLate = 0,
  ): Promise<{ missing: number; stored: number }> {
    const isLost = (name: string) => mayMiss?.(this.#acknowledgedAt(name)) !== true;
    const { found, stored } = await this.#settled(adapter, isLost);
    const lost = found.lost.filter(isLost);
    const late = found.outOfOrder.length;
    say(
      `${this.acknowledged} acknowledged, ${stored} stored, ${found.lost.length} missing, ${late} late`,
    );
    const outOfOrder = late > maxLate ? found.outOfOrder : [];
    expect({ ...found, lost, outOfOrder }).toEqual(NONE);
    return { missing: found.lost.length, stored };
  }

  /** Whether every message acknowledged so far is stored within this time, ms, which shows that an adapter reads. */
  async keepsUp(adapter: Adapter, withinMs: number): Promise<boolean> {
    const sent = this.sent();
    for (const deadline = Date.now() + withinMs; Date.now() < deadline;) {
      if (deviations(sent, await storedMessages(adapter)).lost.length === 0) return true;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    return false;
  }

  /** Compares as {@link verify} does, without waiting for messages, and returns the deviations instead of failing. */
  async compare(adapter: Adapter): Promise<Deviations> {
    return deviations(this.sent(), await whenAvailable(() => storedMessages(adapter)));
  }

  /** Waits until no message is missing; waits for messages that may be missing only while new ones are still stored. */
  async #settled(adapter: Adapter, isLost: (name: string) => boolean) {
    const deadline = Date.now() + PATIENCE_MS;
    for (let last = -1, stillSince = Date.now(); ;) {
      const sent = this.sent();
      const events = await whenAvailable(() => storedMessages(adapter));
      const found = deviations(sent, events);
      const stored = sizeOf(events);
      if (stored !== last) stillSince = Date.now();
      const isEnd = Date.now() > stillSince + STILL_MS && !found.lost.some(isLost);
      if (found.lost.length === 0 || isEnd || Date.now() >= deadline) return { found, stored };
      last = stored;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  #acknowledgedAt(name: string): number {
    const [vin = '', n = ''] = name.split(' ');
    return this.#driven.get(vin)?.acknowledgedAt[Number(n)] ?? NaN;
  }
}

const eventOf = (vehicle: FleetVehicle, n: number) =>
  eventBytes(vehicle, {
    messageId: `msg-dev-${vehicle.vin}-${n}`,
    correlationId: 'msg-cld-unknown',
    refId: FOREIGN,
    status: STATUSES[n % STATUSES.length] ?? 'downloading',
    timestamp: Date.now(),
    meta: [{ key: NUMBER, value: String(n) }],
  });

const NUMBER = 'n';
/** Number of a message, from its event. */
export const numberOf = (meta: readonly { key: string; value: string }[]) =>
  meta.find(({ key }) => key === NUMBER)?.value ?? 'without a number';

const sizeOf = (stored: ReadonlyMap<string, readonly string[]>) =>
  [...stored.values()].reduce((sum, { length }) => sum + length, 0);

/** The numbers of each vehicle's events, in the order of the event stream. */
async function storedMessages({ client }: Adapter): Promise<Map<string, string[]>> {
  const stored = new Map<string, string[]>();
  for (let cursor = '0', more = true; more;) {
    const page: PulledEvents = await client.call(eventApi.pullEvents, {
      query: { after: cursor, limit: PAGE, 'ref-id': FOREIGN },
    });
    for (const { vin, meta } of page.events) {
      const numbers = stored.get(vin) ?? [];
      numbers.push(numberOf(meta));
      stored.set(vin, numbers);
    }
    ({ cursor, more } = page);
  }
  return stored;
}
