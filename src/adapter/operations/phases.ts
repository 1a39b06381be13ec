/** Durations of the phases of an update: pure. */
import { type PhaseDuration } from '../../contract/adapter-api/index.js';
import {
  EVENT_STATUS_NAMES,
  type EventStatusName,
  FAILED_SO_FAR,
  FINISHED,
} from '../../contract/index.js';

/** When things first happened in a vehicle's newest attempt, ms. */
export interface VehicleTimes {
  readonly triggered: number;
  readonly acknowledged: number | undefined;
  /** By status name, in the vehicle's time. */
  readonly events: ReadonlyMap<string, number>;
}

type Moment = 'triggered' | 'acknowledged' | EventStatusName;

interface Phase {
  readonly name: PhaseDuration['phase'];
  readonly from: Moment;
  /** Ends with the latest of these that happened. */
  readonly to: readonly Moment[];
}

/** In the order of an update. */
const PHASES: readonly Phase[] = [
  { name: 'delivery', from: 'triggered', to: ['acknowledged'] },
  { name: 'start', from: 'acknowledged', to: ['received'] },
  { name: 'consent', from: 'received', to: ['consent_accepted', 'consent_rejected'] },
  { name: 'download', from: 'downloading', to: ['downloaded', 'download_fail'] },
  {
    name: 'checks',
    from: 'downloaded',
    // The PKI check follows the MD5 check, or was done on the script, before the download.
    to: ['md5_check_success', 'md5_check_fail', 'pki_check_success', 'pki_check_fail'],
  },
  { name: 'install', from: 'reboot', to: ['success', 'failure'] },
  { name: 'rollback', from: 'failure', to: ['rollback_success', 'rollback_fail'] },
  {
    name: 'total',
    from: 'triggered',
    // A vehicle that has failed so far may still continue.
    to: EVENT_STATUS_NAMES.filter((name) => FINISHED.has(name) && !FAILED_SO_FAR.has(name)),
  },
];

/** Phases that at least one vehicle has completed, without negative durations (from wrong clocks). */
export function phaseDurations(vehicles: readonly VehicleTimes[]): PhaseDuration[] {
  return PHASES.flatMap(({ name, from, to }) => {
    const seconds = vehicles
      .map((vehicle) => durationOf(vehicle, from, to))
      .filter((ms) => ms !== undefined)
      .filter((ms) => ms >= 0)
      .map((ms) => ms / 1000)
      .sort((a, b) => a - b);
    if (seconds.length === 0) return [];
    const at = (quantile: number) => nearestRank(seconds, quantile);
    return [{ phase: name, vehicles: seconds.length, p50: at(0.5), p90: at(0.9), p99: at(0.99) }];
  });
}

function durationOf(vehicle: VehicleTimes, from: Moment, to: readonly Moment[]) {
  const moment = (name: Moment) =>
    name === 'triggered' || name === 'acknowledged' ? vehicle[name] : vehicle.events.get(name);
  const start = moment(from);
  const ends = to.map(moment).filter((time) => time !== undefined);
  return start === undefined || ends.length === 0 ? undefined : Math.max(...ends) - start;
}

/** The nearest-rank percentile of sorted numbers. */
const nearestRank = (sorted: readonly number[], quantile: number): number =>
  sorted[Math.max(0, Math.ceil(quantile * sorted.length) - 1)] ?? NaN;
