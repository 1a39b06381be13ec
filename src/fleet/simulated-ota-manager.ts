/** An OTA manager that only pretends: it plays a scenario in simulated time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type OtaTrigger } from '../protocol/index.js';
import { type OtaManager, type Report } from '../vehicle/index.js';
import { type Scenario } from './scenario.js';

export interface SimulationOptions {
  readonly scenarioOf: (vin: string, refId: string) => Scenario;
  /** How many simulated seconds pass in a real one. */
  readonly speed: number;
  readonly onStart: (scenario: Scenario) => void;
  /** The vehicle loses its connection for so long, real ms. */
  readonly onOutage: (ms: number) => void;
  readonly onEnd: (scenario: Scenario) => void;
}

export class SimulatedOtaManager implements OtaManager {
  readonly #options: SimulationOptions;

  constructor(options: SimulationOptions) {
    this.#options = options;
  }

  async run(trigger: OtaTrigger, report: Report, signal: AbortSignal): Promise<void> {
    const { speed, onStart, onOutage, onEnd } = this.#options;
    const scenario = this.#options.scenarioOf(trigger.vin, trigger.body['ref-id']);
    onStart(scenario);
    for (const [number, step] of scenario.steps.entries()) {
      if (scenario.outage?.beforeStep === number) onOutage(scenario.outage.forMs / speed);
      await sleep(step.afterMs / speed, undefined, { signal });
      report(step.status, step.meta);
    }
    onEnd(scenario);
  }
}
