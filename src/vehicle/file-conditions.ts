/** Battery, gear and ignition from a file that the vehicle's gateway keeps up to date. */
import { readFile } from 'node:fs/promises';
import { type Conditions, type VehicleStatus } from './update/equipment.js';

/** Reads the vehicle’s status from a JSON file that a gateway keeps up to date. */
export class FileConditions implements Conditions {
  readonly timeZone: string;
  readonly #file: string | undefined;

  /**
   * @param file JSON: `{"battery": 80, "gear": "park", "ignition": "off"}`; undefined: all values unknown
   * @param timeZone IANA name
   */
  constructor(file: string | undefined, timeZone: string) {
    this.#file = file;
    this.timeZone = timeZone;
  }

  /** The status in the file; all values are unknown if it is missing or unreadable. */
  async read(): Promise<VehicleStatus> {
    if (this.#file === undefined) return {};
    try {
      const { battery, gear, ignition } = JSON.parse(await readFile(this.#file, 'utf8')) as Record<
        string,
        unknown
      >;
      return {
        battery: typeof battery === 'number' ? battery : undefined,
        gear: typeof gear === 'string' ? gear : undefined,
        ignition: typeof ignition === 'string' ? ignition : undefined,
      };
    } catch {
      // An unreadable value is unknown, and an unknown value meets no precondition.
      return {};
    }
  }
}
