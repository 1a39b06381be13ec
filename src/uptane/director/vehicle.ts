/** The vehicle addressed by the Director. */

export interface Vehicle {
  readonly vin: string;
  /** Hardware ids by ECU identifier, including the Primary. */
  readonly ecus: ReadonlyMap<string, string>;
}
