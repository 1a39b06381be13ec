/** Meanings of the names of attacks and refusals, for people. Pure. */

interface Meaning {
  readonly label: string;
  readonly meaning: string;
}

/** Attacks as ECUs report them (Uptane, "Description of threats"). */
const ATTACKS: Readonly<Record<string, Meaning>> = {
  'arbitrary-software': {
    label: 'Arbitrary software',
    meaning: 'Metadata or an image not signed by the required keys.',
  },
  rollback: { label: 'Rollback', meaning: 'Metadata or software older than the ECU’s own.' },
  freeze: { label: 'Freeze', meaning: 'Expired metadata, or an old answer repeated.' },
  'mix-and-match': {
    label: 'Mix-and-match',
    meaning: 'Files or images that were never published together.',
  },
  'endless-data': { label: 'Endless data', meaning: 'A file longer than allowed.' },
  'slow-retrieval': {
    label: 'Slow retrieval',
    meaning: 'A transfer kept just fast enough not to break.',
  },
  'wrong-ecu': {
    label: 'Wrong ECU',
    meaning: 'An order for another vehicle, ECU or hardware.',
  },
  other: { label: 'Other', meaning: 'A name unknown to this server; see the reason.' },
};

/** Of an attack report. An unknown name stands for itself. */
export const attackOf = (name: string): Meaning =>
  (Object.hasOwn(ATTACKS, name) ? ATTACKS[name] : undefined) ?? { label: name, meaning: '' };

/** Why the Director has refused a manifest (docs/director.md). */
const FAULTS: Readonly<Record<string, string>> = {
  malformed: 'Not a valid manifest',
  vehicle: 'From another vehicle or Primary, or with unregistered ECUs',
  'ecu-missing': 'An ECU has no report',
  'ecu-unknown': 'An ECU that is not registered, or other hardware',
  signature: 'Signed by a key other than the registered one',
  time: 'A report is too old, in the future, or older than the last one',
  nonce: 'A report had already been used',
};

export const faultOf = (code: string): string =>
  (Object.hasOwn(FAULTS, code) ? FAULTS[code] : undefined) ?? code;
