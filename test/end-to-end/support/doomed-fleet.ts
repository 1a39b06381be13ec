/**
 * Vehicles with a bad update, in this process: the real agent, machine, link and admission, with simulated equipment.
 * An hour of their time takes a few seconds, and the schedule's deadlines are short accordingly.
 */
import { type FleetVehicle } from '../../../src/fleet/index.js';
import { simulatedEquipment, simulatedWait } from '../../../src/fleet/simulated-equipment.js';
import { CarotaAdmission } from '../../../src/vehicle/primary/carota-admission.js';
import {
  MemoryJournal,
  MqttLink,
  type OtaManager,
  MemoryOutbox,
  type RunningUpdate,
  UpdateRunner,
  VehicleAgent,
  VehicleClock,
} from '../../../src/vehicle/index.js';

/** What becomes of a vehicle: it is well, is silent after `reboot`, or fails an hour after `success`. */
export type Fate = 'well' | 'silent' | 'late';

/** An hour in the time of the vehicles, in real ms. */
export const HOUR_MS = 3_000;
/** Seconds of the vehicles per real second. */
const SPEED = 3_600_000 / HOUR_MS;
/** The server tells when to ask again in its own seconds, which would be a day for these vehicles. */
const LONGEST_PAUSE_MS = 500;

const DURATIONS = {
  ...{ fetch: 5_000, consent: 30_000, tenth: 10_000, verify: 5_000 },
  ...{ install: 60_000, restart: 30_000, check: 30_000, pause: 0 },
};

export interface DoomedFleetOptions {
  readonly mqttUrl: string;
  readonly carotaUrl: string;
  /** Tokens for the CarOTA Server, by VIN. */
  readonly tokens: ReadonlyMap<string, string>;
  readonly fateOf: (vin: string, refId: string) => Fate;
  /** Delays failures after success beyond an hour. */
  readonly untilFailure?: (refId: string, stopping: AbortSignal) => Promise<void>;
}

export class DoomedFleet {
  readonly #agents: VehicleAgent[];
  /** Vehicles that have started an update, by operation. */
  readonly begun = new Map<string, Set<string>>();

  constructor(vehicles: readonly FleetVehicle[], options: DoomedFleetOptions) {
    this.#agents = vehicles.map((vehicle) => this.#agentOf(vehicle, options));
    for (const agent of this.#agents) agent.goOnline();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.stop()));
  }

  #agentOf(vehicle: FleetVehicle, options: DoomedFleetOptions): VehicleAgent {
    const { mqttUrl: url, carotaUrl, tokens, fateOf, untilFailure } = options;
    const { vin, systemId, credential } = vehicle;
    const clock = new VehicleClock(Date.now);
    const admission = new CarotaAdmission({
      ...{ url: carotaUrl, token: tokens.get(vin) ?? '', vin },
      pauseMs: LONGEST_PAUSE_MS,
    });
    return new VehicleAgent({
      identity: vehicle,
      link: new MqttLink({ url, systemId, credential, onError: () => undefined }),
      otaManager: new DoomedOtaManager({
        ...{ vehicle, clock, admission, fateOf, untilFailure, begun: this.begun },
      }),
      journal: new MemoryJournal(),
      outbox: new MemoryOutbox(),
      clock,
    });
  }
}

interface ManagerOptions {
  readonly vehicle: FleetVehicle;
  readonly clock: VehicleClock;
  readonly admission: CarotaAdmission;
  readonly fateOf: DoomedFleetOptions['fateOf'];
  readonly untilFailure: DoomedFleetOptions['untilFailure'];
  readonly begun: Map<string, Set<string>>;
}

class DoomedOtaManager implements OtaManager {
  constructor(private readonly options: ManagerOptions) {}

  async run(update: RunningUpdate): Promise<void> {
    const { vehicle, clock, admission, fateOf, untilFailure, begun } = this.options;
    const { refId } = update.trigger;
    const fate = fateOf(vehicle.vin, refId);
    const wait = simulatedWait(SPEED);
    const equipment = simulatedEquipment({
      scenario: {
        ...{ outcome: 'success', durations: DURATIONS, stopsAt: 0, outage: undefined },
        ...{ duplicates: false, reorders: false },
      },
      model: vehicle.model,
      wait,
      user: { pauseFor: () => undefined, cancel: () => undefined },
    });
    const runner = new UpdateRunner({
      equipment: {
        ...equipment,
        admission: {
          async ask(operation, signal) {
            const pause = await admission.ask(operation, signal);
            return pause === undefined ? undefined : Math.min(pause, LONGEST_PAUSE_MS);
          },
        },
        reboot: {
          ...equipment.reboot,
          // A silent vehicle does not come back.
          restart: (signal) =>
            fate === 'silent' ? wait(1e9, signal) : equipment.reboot.restart(signal),
        },
      },
      model: vehicle.model,
      clock,
      onOutcome: (phase, outcome) => {
        if (phase !== 'admission' || outcome !== 'admitted') return;
        begun.set(refId, (begun.get(refId) ?? new Set()).add(vehicle.vin));
      },
    });
    if (fate !== 'late') return runner.run(update);
    await runner.run(endsLate(update));
    if (update.phase !== 'checking') return;
    await wait(3_600_000, update.stopping);
    await untilFailure?.(refId, update.stopping);
    update.step('ended', {}, [
      {
        status: 'failure',
        meta: [{ key: 'reason', value: 'HU: stopped an hour after the start' }],
      },
    ]);
  }
}

/** The update as the runner sees it, ended with `success`; for the agent it continues. */
function endsLate(update: RunningUpdate): RunningUpdate {
  let hasSucceeded = false;
  return {
    trigger: update.trigger,
    get phase() {
      return hasSucceeded ? 'ended' : update.phase;
    },
    get facts() {
      return update.facts;
    },
    previousResult: update.previousResult,
    step(phase, facts, events = []) {
      hasSucceeded = phase === 'ended' && events.some(({ status }) => status === 'success');
      update.step(hasSucceeded ? 'checking' : phase, facts, events);
    },
    report: (status, meta) => update.report(status, meta),
    stopping: update.stopping,
  };
}
