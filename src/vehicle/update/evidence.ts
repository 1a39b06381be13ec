/**
 * Evidence that a vehicle reports in the meta of an event: its software and conditions before the update, and the text shown
 * to its user (UN R156, 7.1.2). Pure.
 */
import { createHash } from 'node:crypto';
import { type MetaField } from '../../contract/index.js';
import { type Preconditions, type UpdateScript } from '../../update-script/index.js';
import { type VehicleStatus } from './equipment.js';

/** The running version of each ECU that the script updates: `found-version:<ecu>`, with `pki_check_success` or `failure`. */
export const foundVersions = (
  running: ReadonlyMap<string, string | undefined>,
): readonly MetaField[] =>
  [...running].map(([ecu, version]) => ({
    key: `found-version:${ecu}`,
    value: version ?? 'no such ECU',
  }));

const CONDITIONS = ['battery', 'gear', 'ignition'] as const;

/**
 * The value of each condition that the script asks for, and when it was read: `condition:battery` (percent),
 * `condition:gear`, `condition:ignition`, `conditions-at` (RFC 3339). With `downloaded` those before the download, with
 * `reboot` those before the installation, with `failure` those that were not met.
 *
 * @param now ms
 */
export function foundConditions(
  preconditions: Preconditions,
  status: VehicleStatus,
  now: number,
): readonly MetaField[] {
  const asked = CONDITIONS.filter((name) => preconditions[name] !== undefined);
  if (asked.length === 0) return [];
  return [
    ...asked.map((name) => ({
      key: `condition:${name}`,
      value: String(status[name] ?? 'unknown'),
    })),
    { key: 'conditions-at', value: new Date(now).toISOString() },
  ];
}

/**
 * Which text the user was shown, with `consent_accepted` and `consent_rejected`: `consent-text-sha256` (of its UTF-8,
 * hexadecimal), and `consent-language` and `consent-text-version` where the script names them.
 */
export function shownText({ text, language, textVersion }: Shown): readonly MetaField[] {
  const sha256 = createHash('sha256').update(text, 'utf8').digest('hex');
  return [
    { key: 'consent-text-sha256', value: sha256 },
    ...(language === undefined ? [] : [{ key: 'consent-language', value: language }]),
    ...(textVersion === undefined ? [] : [{ key: 'consent-text-version', value: textVersion }]),
  ];
}

type Shown = NonNullable<UpdateScript['consent']>;
