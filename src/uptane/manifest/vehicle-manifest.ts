/** The vehicle version manifest (Uptane, "Vehicle version manifest"): the reports of all ECUs, collected by the Primary. */
import { type SignedPart, type WrittenEnvelope } from '../signing/sign.js';

/** Largest manifest, bytes. */
export const LARGEST_MANIFEST = 1_000_000;

export interface VehicleManifest {
  readonly vin: string;
  /** Serial number of the Primary. */
  readonly primary: string;
  /** The signed report of every ECU, including the Primary, by serial number. */
  readonly ecuReports: ReadonlyMap<string, WrittenEnvelope>;
}

/** The `signed` value that the Primary signs (as canonical JSON) with its own key. */
export const manifestPayload = ({ vin, primary, ecuReports }: VehicleManifest): SignedPart => ({
  _type: 'manifest',
  vin,
  primary,
  ecuReports: Object.fromEntries(ecuReports),
});
