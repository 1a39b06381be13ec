/**
 * The life of an update in the vehicle as a table: for each phase its work, its possible outcomes, the events that are
 * reported, and the next phase. Pure; the diagram in docs/vehicle.md is drawn from it.
 */
import { type EventStatusName } from '../../contract/index.js';

/** Phases of an update, in their usual order. */
export const PHASES = [
  'fetching',
  'consent',
  'conditions',
  'admission',
  'downloading',
  'verifying',
  'waiting',
  'installing',
  'rebooting',
  'checking',
  'rolling_back',
] as const;
/** One of {@link PHASES}. */
export type Phase = (typeof PHASES)[number];

/** Consequences of an outcome of a phase. */
export interface Outcome {
  /** The reported events, in this order. */
  readonly reports: readonly EventStatusName[];
  readonly next: Phase | 'ended';
}

/** One phase of the machine. */
export interface PhaseRow {
  /** The work of the phase, in words. */
  readonly does: string;
  readonly outcomes: Readonly<Record<string, Outcome>>;
  /** The outcome of an unexpected error. */
  readonly otherwise: string;
  /** The user may still pause and cancel: the running software has not been touched. */
  readonly revocable: boolean;
}

const cancelled: Outcome = { reports: ['cancel'], next: 'ended' };
const unmet: Outcome = { reports: ['failure'], next: 'ended' };
/** The schedule is no longer running. */
const withdrawn: Outcome = { reports: ['cancel'], next: 'ended' };

const ROWS = {
  fetching: {
    does: 'fetch and verify the order, fetch the update script',
    outcomes: {
      accepted: { reports: ['received', 'pki_check_success'], next: 'consent' },
      refused: { reports: ['received', 'pki_check_fail'], next: 'ended' },
      unsuitable: { reports: ['received', 'pki_check_success', 'failure'], next: 'ended' },
      installed: { reports: ['received', 'pki_check_success', 'success'], next: 'ended' },
      distrusted: { reports: ['pki_check_fail'], next: 'ended' },
      'not ordered': { reports: ['failure'], next: 'ended' },
      'ended before': { reports: [], next: 'ended' },
      unreachable: { reports: ['failure'], next: 'ended' },
      cancelled,
    },
    otherwise: 'unreachable',
    revocable: true,
  },
  consent: {
    does: 'ask the user, if the script says so',
    outcomes: {
      'not needed': { reports: [], next: 'conditions' },
      accepted: { reports: ['consent_accepted'], next: 'conditions' },
      rejected: { reports: ['consent_rejected'], next: 'ended' },
      cancelled,
    },
    otherwise: 'rejected',
    revocable: true,
  },
  conditions: {
    does: 'wait for battery, gear and ignition',
    outcomes: { met: { reports: [], next: 'admission' }, unmet, cancelled },
    otherwise: 'unmet',
    revocable: true,
  },
  admission: {
    does: 'request admission from the CarOTA Server',
    outcomes: {
      admitted: { reports: [], next: 'downloading' },
      refused: { reports: ['failure'], next: 'ended' },
      withdrawn,
      cancelled,
    },
    otherwise: 'refused',
    revocable: true,
  },
  downloading: {
    does: 'download each artifact, resuming after interruptions',
    outcomes: {
      downloaded: { reports: ['downloaded'], next: 'verifying' },
      failed: { reports: ['download_fail'], next: 'ended' },
      cancelled,
    },
    otherwise: 'failed',
    revocable: true,
  },
  verifying: {
    does: 'compare size, MD5 and every hash with script and metadata',
    outcomes: {
      intact: { reports: ['md5_check_success'], next: 'waiting' },
      damaged: { reports: ['md5_check_fail'], next: 'ended' },
      cancelled,
    },
    otherwise: 'damaged',
    revocable: true,
  },
  waiting: {
    does: 'wait for the daily window and again for the conditions, then request admission again',
    outcomes: { open: { reports: [], next: 'installing' }, unmet, withdrawn, cancelled },
    otherwise: 'unmet',
    revocable: true,
  },
  installing: {
    does: 'write each ECU’s inactive slot, in order',
    outcomes: {
      installed: { reports: ['reboot'], next: 'rebooting' },
      failed: { reports: ['failure'], next: 'rolling_back' },
      cancelled,
    },
    otherwise: 'failed',
    revocable: true,
  },
  rebooting: {
    does: 'activate the new slots, restart',
    outcomes: {
      restarted: { reports: [], next: 'checking' },
      failed: { reports: ['failure'], next: 'rolling_back' },
    },
    otherwise: 'failed',
    revocable: false,
  },
  checking: {
    does: 'check the health of the new software, then keep it',
    outcomes: {
      healthy: { reports: ['success'], next: 'ended' },
      sick: { reports: ['failure'], next: 'rolling_back' },
      'sick, no way back': { reports: ['failure'], next: 'ended' },
    },
    otherwise: 'sick',
    revocable: false,
  },
  rolling_back: {
    does: 'reactivate the old slots, restart, check their health',
    outcomes: {
      back: { reports: ['rollback_success'], next: 'ended' },
      lost: { reports: ['rollback_fail'], next: 'ended' },
    },
    otherwise: 'lost',
    revocable: false,
  },
} as const satisfies Record<Phase, PhaseRow>;

/** The outcomes that a phase can have. */
export type OutcomeOf<P extends Phase> = keyof (typeof ROWS)[P]['outcomes'] & string;

/** The life of an update: for each phase its outcomes, with the events they report and the next phase. */
export const MACHINE: Readonly<Record<Phase, PhaseRow>> = ROWS;
/** The phase in which every update starts. */
export const FIRST_PHASE: Phase = 'fetching';

/** @throws Error if the phase has no such outcome */
export function outcomeOf(phase: Phase, name: string): Outcome {
  const outcome = MACHINE[phase].outcomes[name];
  if (!outcome) throw new Error(`${phase} cannot come out as ${name}`);
  return outcome;
}
