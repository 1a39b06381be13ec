/**
 * Checks specific to the Director's targets (Uptane, "How to check Targets metadata", steps 6 to 8; POUF, section 6),
 * and the order they contain.
 */
import { POUF, STANDARD } from '../checks/sections.js';
import { type Reader } from '../json/reader.js';
import { type Target } from '../metadata/target.js';
import { type Targets } from '../metadata/targets.js';
import { Refusal, type RefusalReason } from '../refusal.js';
import { type Vehicle } from './vehicle.js';

/** One image for one ECU. */
export interface Assignment {
  readonly ecuId: string;
  /** Of the ECU. */
  readonly hardwareId: string;
  readonly target: Target;
  /** `custom.match`. */
  readonly match: Match;
}

/** The part that must be equal in both repositories. */
export interface Match {
  readonly hardwareIds: readonly string[];
  readonly releaseCounter: number;
}

/**
 * For a Primary: every ECU listed must be part of the vehicle.
 *
 * @returns in metadata order; empty: nothing to do
 * @throws Refusal
 */
export function checkDirectorTargets(file: Targets, { vin, ecus }: Vehicle): Assignment[] {
  const refuse = refuser(file);
  checkDelegations(file);
  checkVin(file, vin);
  const assignments: Assignment[] = [];
  const seen = new Set<string>();
  for (const target of file.targets.values()) {
    const identifiers = ecuIdentifiers(target);
    if (identifiers.length === 0) {
      refuse({
        code: 'ecu',
        check: POUF.director,
        fault: `the target ${target.path} is for no ECU`,
      });
    }
    for (const [ecuId, ecu] of identifiers) {
      const actual = ecus.get(ecuId);
      if (seen.has(ecuId)) {
        refuse({
          code: 'ecu',
          check: STANDARD.directorRepeatedEcu,
          fault: `lists the ECU ${ecuId} more than once`,
        });
      }
      seen.add(ecuId);
      if (actual === undefined) {
        return refuse({
          code: 'ecu',
          check: STANDARD.directorUnknownEcu,
          fault: 'lists an ECU that is not in the vehicle',
          expected: [...ecus.keys()].join(', '),
          found: ecuId,
        });
      }
      const hardwareId = checkHardwareId(file, ecuId, ecu, actual);
      assignments.push({ ecuId, hardwareId, target, match: readMatch(target) });
    }
  }
  return assignments;
}

/** The identity of one ECU. */
export interface Ecu {
  readonly vin: string;
  readonly ecuId: string;
  readonly hardwareId: string;
}

/**
 * For a Secondary, which knows only itself.
 *
 * @returns the image ordered for it, if any
 * @throws Refusal
 */
export function checkDirectorTargetsForEcu(
  file: Targets,
  { vin, ecuId, hardwareId }: Ecu,
): Assignment[] {
  // All listed ECUs count as part of the vehicle; their hardware is unknown here.
  const listed = [...file.targets.values()].flatMap((target) =>
    ecuIdentifiers(target).map(
      ([id, ecu]) => [id, id === ecuId ? hardwareId : ecu.member('hardwareId').string()] as const,
    ),
  );
  const assignments = checkDirectorTargets(file, { vin, ecus: new Map(listed) });
  return assignments.filter((assignment) => assignment.ecuId === ecuId);
}

function checkDelegations({ envelope, subject }: Targets): void {
  if (!envelope.signed.member('delegations').exists) return;
  throw new Refusal(subject, {
    code: 'delegation',
    check: STANDARD.directorDelegations,
    fault: 'delegates, which the Director must not',
  });
}

function checkVin(file: Targets, vin: string): void {
  const found = file.envelope.signed.optional('custom')?.optional('vin')?.string();
  if (found === vin) return;
  refuser(file)({
    code: 'vehicle',
    check: POUF.director,
    fault: found === undefined ? 'names no vehicle' : 'is for another vehicle',
    expected: vin,
    found,
  });
}

function checkHardwareId(file: Targets, ecuId: string, ecu: Reader, actual: string): string {
  const found = ecu.member('hardwareId').string();
  if (found !== actual) {
    refuser(file)({
      code: 'hardware-id',
      check: POUF.director,
      fault: `gives the ECU ${ecuId} another hardware id`,
      expected: actual,
      found,
    });
  }
  return actual;
}

const ecuIdentifiers = ({ custom }: Target): [ecuId: string, ecu: Reader][] =>
  custom?.optional('ecuIdentifiers')?.members() ?? [];

function readMatch({ path, custom }: Target): Match {
  const match = custom?.member('match');
  // Without `custom` there are no ECU identifiers, so this is never reached.
  if (!match) throw new Error(`the target ${path} has no custom metadata`);
  return {
    hardwareIds: match.member('hardwareIds').strings(),
    releaseCounter: match.member('releaseCounter').integer(),
  };
}

const refuser =
  ({ subject }: Targets) =>
  (reason: RefusalReason): never => {
    throw new Refusal(subject, reason);
  };
