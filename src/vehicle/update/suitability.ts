/** Whether a script applies to this vehicle in its current state. Pure. */
import {
  compareVersions,
  type EcuUpdate,
  incompatibility,
  matchesVersion,
  type UpdateScript,
} from '../../update-script/index.js';

export type Suitability =
  | { readonly kind: 'suitable' }
  /** Every ECU already runs the software of the script. */
  | { readonly kind: 'installed' }
  | { readonly kind: 'unsuitable'; readonly reason: string };

/** @param running version of each ECU; undefined if there is no such ECU */
export function suitability(
  script: UpdateScript,
  running: ReadonlyMap<string, string | undefined>,
): Suitability {
  const pending = script.ecus.filter(({ ecu, version }) => {
    const now = running.get(ecu);
    return now === undefined || compareVersions(now, version) !== 0;
  });
  if (pending.length === 0) return { kind: 'installed' };
  for (const update of pending) {
    const reason = objection(update, running.get(update.ecu), script.downgrade ?? false);
    if (reason !== undefined) return { kind: 'unsuitable', reason };
  }
  const reason = incompatibility(script, (ecu) => fittedEcu(running, ecu));
  return reason === undefined ? { kind: 'suitable' } : { kind: 'unsuitable', reason };
}

const fittedEcu = (running: ReadonlyMap<string, string | undefined>, ecu: string) => {
  const version = running.get(ecu);
  return version === undefined ? undefined : { version };
};

function objection(
  { ecu, version, from }: EcuUpdate,
  running: string | undefined,
  downgrade: boolean,
): string | undefined {
  if (running === undefined) return `there is no ECU ${ecu} in this vehicle`;
  if (!downgrade && compareVersions(running, version) > 0) {
    return `${ecu} runs ${running}: ${version} is older, and the script does not allow a downgrade`;
  }
  if (from && !from.some((pattern) => matchesVersion(pattern, running))) {
    return `${ecu} runs ${running}: ${version} may be installed from ${from.join(', ')} only`;
  }
  return undefined;
}
