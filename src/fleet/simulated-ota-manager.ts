/** The OTA manager of a vehicle, with simulated equipment that plays a scenario. */
import {
  type OtaManager,
  type RunningUpdate,
  UpdateRunner,
  type VehicleClock,
} from '../vehicle/index.js';
import { type Scenario } from './scenario.js';
import { simulatedEquipment, simulatedWait } from './simulated-equipment.js';

export interface SimulationOptions {
  readonly scenarioOf: (refId: string) => Scenario;
  readonly model: string;
  readonly clock: VehicleClock;
  /** How many simulated seconds pass in a real one. */
  readonly speed: number;
  readonly onStart: (scenario: Scenario) => void;
  /** The vehicle loses its connection for so long, real ms. */
  readonly onOutage: (ms: number) => void;
  readonly onEnd: (scenario: Scenario) => void;
}

/** A simulated download reports its progress in tenths. */
const PACE = { progressSeconds: 0, progressPercent: 10 };

export class SimulatedOtaManager implements OtaManager {
  readonly #options: SimulationOptions;

  constructor(options: SimulationOptions) {
    this.#options = options;
  }

  async run(update: RunningUpdate): Promise<void> {
    const { model, clock, speed, onStart, onOutage, onEnd } = this.#options;
    const scenario = this.#options.scenarioOf(update.trigger.refId);
    const wait = simulatedWait(speed);
    const user = {
      pauseFor(ms: number) {
        runner.pause();
        void wait(ms, update.stopping).then(
          () => runner.resume(),
          () => undefined,
        );
      },
      cancel: () => void runner.cancel(),
    };
    const runner: UpdateRunner = new UpdateRunner({
      equipment: simulatedEquipment({ scenario, model, wait, user }),
      model,
      clock,
      pace: PACE,
      onOutcome: (phase) => {
        const { outage } = scenario;
        if (outage?.after === phase) onOutage(outage.forMs / speed);
      },
    });
    onStart(scenario);
    await runner.run(update);
    if (!update.stopping.aborted) onEnd(scenario);
  }
}
