/** What an exposed vehicle has come to, and when time decides it (contract section 10). Pure. */
import {
  type ExposureResult,
  GUARD_DEFAULTS,
  type GuardSettings,
} from '../../contract/carota-api/index.js';
import { EXPOSING, EXPOSING_IF_CONSENTED, FAILED, resultOf } from '../../contract/index.js';

export interface Exposure {
  readonly result: ExposureResult;
  /** When the vehicle was exposed, ms. */
  readonly at: number;
  /** When it is silent, or has succeeded for good, unless it reports something before, ms. A decided vehicle may soak too. */
  readonly decidesAt: number | undefined;
  /** Since when it is silent, ms. */
  readonly silentAt: number | undefined;
}

/** How long a vehicle may take for what. */
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
 * Whether a report shows that a vehicle of another vendor, which does not ask, has gone on after the consent.
 *
 * @param hasConsented whether it has ever reported `consent_accepted`
 */
export const showsExposure = (state: string, hasConsented: boolean): boolean =>
  EXPOSING.has(state) || (hasConsented && EXPOSING_IF_CONSENTED.has(state));

/**
 * A failure that is tried again leaves the vehicle undecided, unless that would be after its deadline.
 *
 * @param retryAt when it is tried again, ms
 */
function afterFailure(
  { at }: Exposure,
  retryAt: number | undefined,
  deadlines: Deadlines,
): Exposure {
  const latest = deadlineOf(deadlines, at);
  return retryAt !== undefined && retryAt < latest ? undecided(at, latest) : decided(at, 'failed');
}

/** A report that has given the vehicle a new state. */
interface Report {
  /** The state that the vehicle had. */
  readonly before: string;
  readonly state: string;
  /** When a failure is retried, ms. */
  readonly retryAt?: number | undefined;
}

/**
 * After a report. The result depends on when reports reached the adapter, not on when this server received them: it may have
 * been down meanwhile.
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
  // It has succeeded, and still so at the end of the soak: what fails later is another story.
  if (result === 'succeeded') return decided(at, result);
  if (result !== 'undecided') return revised(current, report, deadlines, receivedAt);
  if (FAILED.has(state)) return afterFailure(current, retryAt, deadlines);
  if (resultOf(state) === 'withdrawn') return decided(at, 'withdrawn');
  return state === 'success'
    ? soaking(current, before, deadlines, receivedAt)
    : undecided(at, deadlineIn(state, before, current, deadlines, receivedAt));
}

/**
 * A decided vehicle is never undecided again, for another one may have its slot under the cap: it keeps its result until its
 * soak is over, or it fails.
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
  // A vehicle that goes on after its withdrawal may still fall silent. Only success undoes failure and silence.
  const goesOn = result === 'withdrawn' && resultOf(state) !== 'withdrawn';
  const decidesAt = goesOn ? deadlineIn(state, before, exposure, deadlines, receivedAt) : undefined;
  return { ...exposure, decidesAt };
}

/** Keeps its result until the end of the soak. */
function soaking(
  exposure: Exposure,
  before: string,
  deadlines: Deadlines,
  receivedAt: number,
): Exposure {
  // Reported once more, it soaks no longer than before.
  if (before === 'success' && exposure.decidesAt !== undefined) return exposure;
  const soak = (deadlines.soak ?? GUARD_DEFAULTS.soak) * 1000;
  return soak === 0
    ? decided(exposure.at, 'succeeded')
    : { ...exposure, decidesAt: receivedAt + soak };
}

/**
 * When a vehicle that reports nothing final after this state is silent, ms. What is not final does not put off the deadline of a
 * reboot; another reboot does, for an update may need several.
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
  // It was the end of a soak, which does not go on.
  return before === 'success' ? latest : (decidesAt ?? latest);
}

/** No deadline ends before the given time, ms. */
export const putOff = (exposure: Exposure, until: number): Exposure =>
  exposure.decidesAt === undefined
    ? exposure
    : { ...exposure, decidesAt: Math.max(exposure.decidesAt, until) };

/** As it was when the report was received: a deadline may have passed before it, or not yet. */
function inTime(exposure: Exposure, state: string, receivedAt: number): Exposure {
  const { at, decidesAt, silentAt = -Infinity } = exposure;
  if (decidesAt !== undefined) {
    return receivedAt >= decidesAt ? afterDeadline(exposure, state) : exposure;
  }
  return receivedAt < silentAt ? undecided(at, silentAt) : exposure;
}

/** When its time is over. */
export function afterDeadline(exposure: Exposure, state: string): Exposure {
  if (state === 'success') return decided(exposure.at, 'succeeded');
  // It was to be tried again, too late.
  if (FAILED.has(state)) return decided(exposure.at, 'failed');
  return { ...decided(exposure.at, 'silent'), silentAt: exposure.decidesAt };
}
