/** Identity of an ECU, set by provisioning. */

export interface EcuIdentity {
  readonly vin: string;
  /** Serial number, unique in the vehicle: the ECU identifier of the Director's metadata. */
  readonly serial: string;
  /** The name that update scripts use, e.g. `HU`. */
  readonly name: string;
  readonly hardwareId: string;
}
