/** The vehicle that the Director speaks to. */

export interface Vehicle {
  readonly vin: string;
  /** Hardware id by ECU identifier, the Primary among them. */
  readonly ecus: ReadonlyMap<string, string>;
}
