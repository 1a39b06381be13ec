/** How long the phases of an update take: pure. */
import { type EventStatusName } from '../../contract/index.js';

/** What is known of one vehicle's newest attempt: when each thing happened first, ms. */
export interface VehicleTimes {
  readonly triggered: number;
  readonly acknowledged: number | undefined;
  /** By the vehicle's own times. */
  readonly events: ReadonlyMap<string, number>;
}

type Moment = 'triggered' | 'acknowledged' | EventStatusName;

interface Phase {
  readonly name: string;
  readonly from: Moment;
  /** Whichever is there. */
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
    // The package's PKI check follows its MD5 check, or was the script's and came before the download.
    to: ['md5_check_success', 'md5_check_fail', 'pki_check_success', 'pki_check_fail'],
  },
  { name: 'install', from: 'reboot', to: ['success', 'failure'] },
  { name: 'rollback', from: 'failure', to: ['rollback_success', 'rollback_fail'] },
  {
    name: 'whole',
    from: 'triggered',
    to: ['success', 'rollback_success', 'rollback_fail', 'cancel', 'consent_rejected'],
  },
];

export interface PhaseDuration {
  readonly phase: string;
  /** Vehicles of the sample that have been through it. */
  readonly vehicles: number;
  /** Seconds. */
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** Phases that at least one vehicle has been through; clocks that ran backwards are left out. */
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
