/** The installer of a vehicle whose ECUs verify for themselves: hands each its image, and passes on what is asked. */
import { createReadStream } from 'node:fs';
import { type EcuUpdate } from '../../update-script/index.js';
import { type Secondary } from '../secondary/secondary.js';
import { type Installer } from '../update/equipment.js';

export class EcuInstaller implements Installer {
  readonly #secondaries: ReadonlyMap<string, Secondary>;

  /** @param secondaries by the name that scripts use */
  constructor(secondaries: ReadonlyMap<string, Secondary>) {
    this.#secondaries = secondaries;
  }

  async version(ecu: string): Promise<string | undefined> {
    return this.#secondaries.get(ecu)?.version();
  }

  /** Uptane, "Send images to Secondaries", then their installation. */
  async install(update: EcuUpdate, file: string, signal: AbortSignal): Promise<void> {
    const secondary = this.#of(update.ecu);
    if (!(await secondary.hasImage())) {
      await secondary.takeImage(update.artifact.size, createReadStream(file, { signal }));
    }
    await secondary.install(update, signal);
  }

  async activate(update: EcuUpdate): Promise<void> {
    await this.#of(update.ecu).activate(update);
  }

  async check(ecu: string, signal: AbortSignal): Promise<void> {
    await this.#of(ecu).check(signal);
  }

  async confirm(update: EcuUpdate): Promise<void> {
    await this.#of(update.ecu).confirm(update);
  }

  async revert(update: EcuUpdate): Promise<void> {
    await this.#of(update.ecu).revert(update);
  }

  #of(ecu: string): Secondary {
    const secondary = this.#secondaries.get(ecu);
    if (secondary) return secondary;
    throw new Error(`there is no ECU ${ecu} in this vehicle`);
  }
}
