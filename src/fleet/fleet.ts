/** A simulated fleet: many vehicle agents in one process, each with its own connection. */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { MemoryJournal, MqttLink, VehicleAgent, VehicleClock } from '../vehicle/index.js';
import { FaultyLink } from './faulty-link.js';
import { type FleetVehicle } from './fleet-vehicle.js';
import { ReorderingOutbox } from './reordering-outbox.js';
import { comesOnlineAfterMs, type Outcome, scenarioOf } from './scenario.js';
import { SimulatedOtaManager } from './simulated-ota-manager.js';

export interface FleetOptions {
  readonly vehicles: readonly FleetVehicle[];
  readonly mqttUrl: string;
  readonly seed: number;
  /** Simulated seconds per real second. */
  readonly speed: number;
  readonly onError?: (vin: string, error: Error) => void;
}

export interface FleetCounts {
  /** Number of vehicles that have been switched on. */
  readonly switchedOn: number;
  readonly triggersTaken: number;
  readonly updatesEnded: number;
  /** Number of messages that the broker has acknowledged, not counting injected duplicates. */
  readonly messagesDelivered: number;
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
}

/** New connections per second; more would only wait in the broker's queue. */
const CONNECTS_PER_SECOND = 500;

export class Fleet {
  readonly #options: FleetOptions;
  readonly #agents: VehicleAgent[] = [];
  readonly #stopping = new AbortController();
  readonly #counts = {
    switchedOn: 0,
    triggersTaken: 0,
    updatesEnded: 0,
    messagesDelivered: 0,
    outcomes: {} as Partial<Record<Outcome, number>>,
  };
  #switchingOn: Promise<void> = Promise.resolve();

  constructor(options: FleetOptions) {
    this.#options = options;
    // Each vehicle that is temporarily switched off adds a listener.
    setMaxListeners(0, this.#stopping.signal);
  }

  get counts(): FleetCounts {
    return this.#counts;
  }

  /** Switches the vehicles on one after another; the seed delays some of them. */
  start(): void {
    this.#switchingOn = this.#switchOn().catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) throw error;
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#switchingOn;
    await Promise.all(this.#agents.map((agent) => agent.stop()));
  }

  async #switchOn(): Promise<void> {
    const { vehicles, seed, speed } = this.#options;
    const late: { vehicle: FleetVehicle; afterMs: number }[] = [];
    for (const [number, vehicle] of vehicles.entries()) {
      const afterMs = comesOnlineAfterMs(seed, vehicle.vin) / speed;
      if (afterMs > 0) late.push({ vehicle, afterMs });
      else this.#switchOnOne(vehicle);
      if (number % 50 === 49) await this.#wait((50 / CONNECTS_PER_SECOND) * 1000);
    }
    let passed = 0;
    for (const { vehicle, afterMs } of late.sort((a, b) => a.afterMs - b.afterMs)) {
      await this.#wait(Math.max(0, afterMs - passed));
      passed = Math.max(passed, afterMs);
      this.#switchOnOne(vehicle);
    }
  }

  #wait(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.#stopping.signal });
  }

  #switchOnOne(vehicle: FleetVehicle): void {
    const { mqttUrl, seed, speed, onError } = this.#options;
    const counts = this.#counts;
    const link = new FaultyLink(
      new MqttLink({
        url: mqttUrl,
        systemId: vehicle.systemId,
        credential: vehicle.credential,
        onError: (error) => onError?.(vehicle.vin, error),
      }),
    );
    const outbox = new ReorderingOutbox(() => agent.flush());
    const clock = new VehicleClock(Date.now);
    const otaManager = new SimulatedOtaManager({
      scenarioOf: (refId) => scenarioOf(seed, vehicle.vin, refId),
      model: vehicle.model,
      clock,
      speed,
      onStart: (scenario) => {
        counts.triggersTaken += 1;
        link.duplicates = scenario.duplicates;
        outbox.reorders = scenario.reorders;
      },
      onOutage: (ms) => void this.#outage(agent, ms),
      onEnd: ({ outcome }) => {
        counts.updatesEnded += 1;
        counts.outcomes[outcome] = (counts.outcomes[outcome] ?? 0) + 1;
      },
    });
    const agent: VehicleAgent = new VehicleAgent({
      identity: vehicle,
      link,
      otaManager,
      journal: new MemoryJournal(),
      outbox,
      clock,
      onDelivered: () => (counts.messagesDelivered += 1),
    });
    this.#agents.push(agent);
    agent.goOnline();
    counts.switchedOn += 1;
  }

  async #outage(agent: VehicleAgent, ms: number): Promise<void> {
    await agent.goOffline();
    try {
      await this.#wait(ms);
      agent.goOnline();
    } catch {
      // The fleet stops.
    }
  }
}
