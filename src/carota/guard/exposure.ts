/** The result of an exposed vehicle, and the deadline at which time alone decides it (contract section 10). Pure. */
import {
  type ExposureResult,
  GUARD_DEFAULTS,
  type GuardSettings,
} from '../../contract/carota-api/index.js';
import { EXPOSING, EXPOSING_IF_CONSENTED, FAILED, resultOf } from '../../contract/index.js';

export interface Exposure {
  readonly result: ExposureResult;
  /** Time of exposure, ms. */
  readonly at: number;
  /**
   * When the vehicle becomes silent, or its success final, unless it reports something first, ms. A decided vehicle may be
   * in its soak too.
   */
  readonly decidesAt: number | undefined;
  /** When it became silent, ms. */
  readonly silentAt: number | undefined;
}

/** The plan's time limits for exposed vehicles. */
export type Deadlines = Pick<GuardSettings, 'afterReboot' | 'deadline' | 'soak'>;

const deadlineOf = ({ deadline = GUARD_DEFAULTS.deadline }: Deadlines, at: number) =>
  at + deadline * 1000;

const decided = (at: number, result: ExposureResult): Exposure => ({
  result,
  at,
  decidesAt: undefined,
  silentAt: undefined,
});
const undecided = (at: number, decidesAt: number): Exposure => ({
  result: 'undecided',
  at,
  decidesAt,
  silentAt: undefined,
});

/** @param at when the vehicle was admitted, or its first report was received, ms */
export const exposedAt = (deadlines: Deadlines, at: number): Exposure =>
  undecided(at, deadlineOf(deadlines, at));

/**
 * Whether a report shows that a vehicle of another vendor, which does not request admission, proceeded after consent.
 *
 * @param hasConsented whether the vehicle has ever reported `consent_accepted`
 */
export const showsExposure = (state: string, hasConsented: boolean): boolean =>
  EXPOSING.has(state) || (hasConsented && EXPOSING_IF_CONSENTED.has(state));

/**
 * A failure that will be retried leaves the vehicle undecided, unless the retry would come after its deadline.
 *
 * @param retryAt when it is retried, ms
 */
function afterFailure(
  { at }: Exposure,
  retryAt: number | undefined,
  deadlines: Deadlines,
): Exposure {
  const latest = deadlineOf(deadlines, at);
  return retryAt !== undefined && retryAt < latest ? undecided(at, latest) : decided(at, 'failed');
}

/** A report that changed the vehicle's state. */
interface Report {
  /** The vehicle's previous state. */
  readonly before: string;
  readonly state: string;
  /** When a failure is retried, ms. */
  readonly retryAt?: number | undefined;
}

/**
 * The exposure after a report. The result depends on when the adapter received the reports, not on when this server did: it
 * may have been down in between.
 *
 * @param receivedAt ms: by the cloud's clock, never the vehicle's
 */
export function afterReport(
  exposure: Exposure,
  report: Report,
  deadlines: Deadlines,
  receivedAt: number,
): Exposure {
  const { before, state, retryAt } = report;
  const current = inTime(exposure, before, receivedAt);
  const { at, result } = current;
  // Its success outlasted the soak; a later failure no longer counts against the update.
  if (result === 'succeeded') return decided(at, result);
  if (result !== 'undecided') return revised(current, report, deadlines, receivedAt);
  if (FAILED.has(state)) return afterFailure(current, retryAt, deadlines);
  if (resultOf(state) === 'withdrawn') return decided(at, 'withdrawn');
  return state === 'success'
    ? soaking(current, before, deadlines, receivedAt)
    : undecided(at, deadlineIn(state, before, current, deadlines, receivedAt));
}

/**
 * A decided vehicle never becomes undecided again, because another one may have taken its slot under the cap: it keeps its
 * result until its soak ends or it fails.
 */
function revised(
  exposure: Exposure,
  { before, state }: Report,
  deadlines: Deadlines,
  receivedAt: number,
): Exposure {
  const { at, result } = exposure;
  if (FAILED.has(state)) return decided(at, 'failed');
  if (state === 'success') return soaking(exposure, before, deadlines, receivedAt);
  // A vehicle that proceeds after its withdrawal may still become silent. Only success reverses failure and silence.
  const goesOn = result === 'withdrawn' && resultOf(state) !== 'withdrawn';
  const decidesAt = goesOn ? deadlineIn(state, before, exposure, deadlines, receivedAt) : undefined;
  return { ...exposure, decidesAt };
}

/** The vehicle keeps its result until the end of the soak. */
function soaking(
  exposure: Exposure,
  before: string,
  deadlines: Deadlines,
  receivedAt: number,
): Exposure {
  // A repeated report of success does not extend the soak.
  if (before === 'success' && exposure.decidesAt !== undefined) return exposure;
  const soak = (deadlines.soak ?? GUARD_DEFAULTS.soak) * 1000;
  return soak === 0
    ? decided(exposure.at, 'succeeded')
    : { ...exposure, decidesAt: receivedAt + soak };
}

/**
 * When a vehicle that reports nothing final after this state becomes silent, ms. Reports that are not final do not extend
 * the deadline after a reboot; another reboot does, because an update may need several.
 */
function deadlineIn(
  state: string,
  before: string,
  { at, decidesAt }: Exposure,
  deadlines: Deadlines,
  receivedAt: number,
): number {
  const afterReboot = (deadlines.afterReboot ?? GUARD_DEFAULTS.afterReboot) * 1000;
  const latest = deadlineOf(deadlines, at);
  if (state === 'reboot') return Math.min(latest, receivedAt + afterReboot);
  // The previous deadline was the end of a soak that is now cancelled.
  return before === 'success' ? latest : (decidesAt ?? latest);
}

/** Postpones a deadline that would end before the given time, ms. */
export const putOff = (exposure: Exposure, until: number): Exposure =>
  exposure.decidesAt === undefined
    ? exposure
    : { ...exposure, decidesAt: Math.max(exposure.decidesAt, until) };

/** The exposure at the time the report was received: by then, a deadline may or may not have passed. */
function inTime(exposure: Exposure, state: string, receivedAt: number): Exposure {
  const { at, decidesAt, silentAt = -Infinity } = exposure;
  if (decidesAt !== undefined) {
    return receivedAt >= decidesAt ? afterDeadline(exposure, state) : exposure;
  }
  return receivedAt < silentAt ? undecided(at, silentAt) : exposure;
}

/** The exposure once its deadline has passed. */
export function afterDeadline(exposure: Exposure, state: string): Exposure {
  if (state === 'success') return decided(exposure.at, 'succeeded');
  // The retry would have come too late.
  if (FAILED.has(state)) return decided(exposure.at, 'failed');
  return { ...decided(exposure.at, 'silent'), silentAt: exposure.decidesAt };
}
