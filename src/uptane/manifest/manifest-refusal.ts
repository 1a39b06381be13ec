/** Reasons for a Director to reject a vehicle version manifest. */

export const MANIFEST_FAULTS = [
  /** Not JSON, or a member is missing or wrong. */
  'malformed',
  /** Of another vehicle, or from no Primary of this one. */
  'vehicle',
  /** An ECU of the vehicle is missing. */
  'ecu-missing',
  /** Contains an ECU that the vehicle does not have, or with different hardware. */
  'ecu-unknown',
  /** A signature is not by the registered key. */
  'signature',
  /** Too old, in the future, or earlier than the ECU's last report. */
  'time',
  /** Used before: a replay. */
  'nonce',
] as const;
export type ManifestFault = (typeof MANIFEST_FAULTS)[number];

export class ManifestRefusal extends Error {
  override readonly name = 'ManifestRefusal';

  constructor(
    readonly code: ManifestFault,
    message: string,
    /** Serial number of the ECU concerned; undefined: the manifest itself. */
    readonly ecuId?: string,
  ) {
    super(message);
  }
}
