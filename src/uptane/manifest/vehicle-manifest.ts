/** The vehicle version manifest (Uptane, "Vehicle version manifest"): the reports of all ECUs, collected by the Primary. */
import { type PlainJson } from '../json/canonical-json.js';

/** Largest manifest, bytes. */
export const LARGEST_MANIFEST = 1_000_000;

/** A signed value as JSON: an envelope (POUF, section 2). */
export interface SignedJson {
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
  readonly signed: PlainJson;
}

export interface VehicleManifest {
  readonly vin: string;
  /** Serial number of the Primary. */
  readonly primary: string;
  /** The signed report of every ECU by serial number, the Primary's own among them. */
  readonly ecuReports: ReadonlyMap<string, SignedJson>;
}

/** The `signed` value that the Primary signs (as canonical JSON) with its own key. */
export const manifestPayload = ({ vin, primary, ecuReports }: VehicleManifest): PlainJson => ({
  _type: 'manifest',
  vin,
  primary,
  // Not a literal type: an ECU may have any serial number, `__proto__` too.
  ecuReports: Object.fromEntries(
    [...ecuReports].map(([ecuId, report]) => [ecuId, envelopeJson(report)]),
  ),
});

const envelopeJson = ({ signatures, signed }: SignedJson): PlainJson => ({
  signatures: signatures.map(({ keyid, sig }) => ({ keyid, sig })),
  signed,
});
