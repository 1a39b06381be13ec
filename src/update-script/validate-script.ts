/** Validates update scripts against their schema and the rules that a schema cannot express. Pure. */
import { checkOf, type FieldError } from '../contract/index.js';
import { installOrder } from './install-order.js';
import {
  type EcuUpdate,
  type OtherSoftware,
  UpdateScript,
} from '../contract/update-script/index.js';
import { matchesVersion } from './versions.js';

const check = checkOf(UpdateScript);

/**
 * Validates an update script. Never throws.
 *
 * @param value parsed JSON
 * @returns the script, or all faults, each with the JSON Pointer (RFC 6901) of its field
 */
export function validateScript(value: unknown): UpdateScript | readonly FieldError[] {
  if (!check.matches(value)) return check.errors(value);
  const errors = [...ecuErrors(value), ...windowErrors(value), ...recordErrors(value)];
  return errors.length > 0 ? errors : value;
}

function* ecuErrors({ ecus }: UpdateScript): Generator<FieldError> {
  const first = new Map<string, number>();
  for (const [place, { ecu }] of ecus.entries()) {
    const before = first.get(ecu);
    if (before === undefined) first.set(ecu, place);
    else
      yield { path: `/ecus/${place}/ecu`, message: `${ecu} is already updated by /ecus/${before}` };
  }
  for (const [place, { ecu, after = [] }] of ecus.entries()) {
    for (const [number, other] of after.entries()) {
      const path = `/ecus/${place}/after/${number}`;
      if (other === ecu) yield { path, message: 'an ECU cannot come after itself' };
      else if (!first.has(other)) yield { path, message: `${other} is not in this script` };
    }
  }
  if (!installOrder(ecus)) {
    yield { path: '/ecus', message: 'the order of the ECUs is circular' };
  }
  for (const [place, update] of ecus.entries()) {
    for (const member of ['requires', 'conflicts'] as const) {
      for (const [number, { ecu }] of (update[member] ?? []).entries()) {
        const path = `/ecus/${place}/${member}/${number}/ecu`;
        if (ecu === update.ecu) yield { path, message: 'must be another ECU' };
      }
    }
  }
  yield* contradictions(ecus);
}

/** A script whose own images exclude each other could never be given to any vehicle. */
function* contradictions(ecus: readonly EcuUpdate[]): Generator<FieldError> {
  const versions = new Map(ecus.map(({ ecu, version }) => [ecu, version]));
  const fits = ({ ecu, versions: patterns }: OtherSoftware) => {
    const version = versions.get(ecu);
    if (version === undefined) return undefined;
    return patterns.some((pattern) => matchesVersion(pattern, version));
  };
  for (const [place, { requires = [], conflicts = [] }] of ecus.entries()) {
    for (const [number, need] of requires.entries()) {
      if (fits(need) !== false) continue;
      const message = `${need.ecu} gets ${versions.get(need.ecu)} by this script`;
      yield { path: `/ecus/${place}/requires/${number}/versions`, message };
    }
    for (const [number, other] of conflicts.entries()) {
      if (fits(other) !== true) continue;
      const message = `${other.ecu} gets ${versions.get(other.ecu)} by this script`;
      yield { path: `/ecus/${place}/conflicts/${number}/versions`, message };
    }
  }
}

function* windowErrors({ window }: UpdateScript): Generator<FieldError> {
  if (window && window.from === window.to) {
    yield {
      path: '/window/to',
      message: 'must differ from the start of the window; to have no window, omit it',
    };
  }
}

/** The record of the update must not contradict its installed software. */
function* recordErrors({ ecus, record }: UpdateScript): Generator<FieldError> {
  const installed = new Map(ecus.map((update) => [update.ecu, update]));
  const first = new Map<string, number>();
  for (const [place, { regulation, software }] of (record?.regulations ?? []).entries()) {
    const path = `/record/regulations/${place}`;
    const before = first.get(regulation);
    if (before === undefined) first.set(regulation, place);
    else {
      const message = `${regulation} is already in /record/regulations/${before}`;
      yield { path: `${path}/regulation`, message };
    }
    const named = new Set<string>();
    for (const [number, { ecu, version, sha256 }] of software.entries()) {
      const item = `${path}/software/${number}`;
      if (named.has(ecu)) yield { path: `${item}/ecu`, message: `${ecu} is named twice` };
      named.add(ecu);
      const update = installed.get(ecu);
      if (!update) continue;
      if (update.version !== version) {
        const message = `must be ${update.version}, which this script installs`;
        yield { path: `${item}/version`, message };
      }
      if (update.artifact.sha256 !== sha256) {
        const message = 'must be the SHA-256 of the artifact that this script installs';
        yield { path: `${item}/sha256`, message };
      }
    }
  }
}
