/** Takes VINs and serial numbers out of the records of a dossier. Pure. */
import { type DossierRecord } from '../../contract/carota-api/index.js';
import { pseudonymOf } from '../pseudonyms/index.js';

/** A VIN anywhere in a text, in either case: in a plan, or in text from a person or a vehicle. */
const VIN = /(?<![A-Za-z0-9])[A-HJ-NPR-Za-hj-npr-z0-9]{17}(?![A-Za-z0-9])/g;

/** All VINs in a record, in upper case. */
export function vinsIn(record: DossierRecord): string[] {
  const vins: string[] = [];
  mapTexts(record, (text) => {
    for (const [vin] of text.matchAll(VIN)) vins.push(vin.toUpperCase());
    return text;
  });
  return vins;
}

/**
 * Whether a dossier with pseudonyms contains the record. Position, hash and time of an audit entry would lead to the
 * same entry in the audit log, which is never erased and names the vehicle by its VIN.
 */
export const isPseudonymous = (record: DossierRecord): boolean =>
  record.type !== 'audit' || record.vin === null;

/** @param keys of all VINs in the record */
export function redacted(
  record: DossierRecord,
  keys: ReadonlyMap<string, Uint8Array>,
): DossierRecord {
  const withoutVins = (text: string) =>
    text.replaceAll(VIN, (vin) => {
      const name = vin.toUpperCase();
      const key = keys.get(name);
      if (!key) throw new Error('a VIN has no pseudonym');
      return pseudonymOf('vin', name, key);
    });
  return mapTexts(withoutSerials(record, keys), withoutVins) as DossierRecord;
}

function withoutSerials(
  record: DossierRecord,
  keys: ReadonlyMap<string, Uint8Array>,
): DossierRecord {
  // Serial numbers and key ids of ECUs, system_ids, serial numbers of certificates.
  if (record.type === 'audit') return { ...record, address: '', subject: '', detail: {} };
  if (record.type !== 'vehicle' || !record.configuration) return record;
  const { configuration } = record;
  const key = keys.get(record.vin);
  if (!key) throw new Error('a VIN has no pseudonym');
  const ecus = configuration.ecus.map((ecu) => ({
    ...ecu,
    serial: pseudonymOf('ecu', ecu.serial, key),
  }));
  // The manifest itself contains both and is signed, so only its statements about software are kept.
  return { ...record, configuration: { ...configuration, manifest: null, ecus } };
}

function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [change(name), mapTexts(member, change)]),
  );
}
