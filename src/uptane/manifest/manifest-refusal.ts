/** Why a Director drops a vehicle version manifest. */

export const MANIFEST_FAULTS = [
  /** Not JSON, or a member is missing or wrong. */
  'malformed',
  /** Of another vehicle, or from no Primary of this one. */
  'vehicle',
  /** An ECU of the vehicle is not in it. */
  'ecu-missing',
  /** An ECU that the vehicle does not have, or with other hardware than it has. */
  'ecu-unknown',
  /** A signature is not by the registered key. */
  'signature',
  /** Too old, in the future, or before what the ECU has reported last. */
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
    /** Serial number of the ECU that it is about; undefined: the manifest itself. */
    readonly ecuId?: string,
  ) {
    super(message);
  }
}
