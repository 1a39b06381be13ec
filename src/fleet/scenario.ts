/** What happens to a simulated vehicle during an update; the same seed and VIN give the same scenario. Pure. */
import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { type Phase } from '../vehicle/index.js';

/** Endings of an update, with their frequency in percent of vehicles. */
const OUTCOMES = {
  success: 66,
  paused_and_resumed: 7,
  consent_rejected: 6,
  download_fail: 4,
  md5_check_fail: 3,
  pki_check_fail: 3,
  rollback_success: 6,
  rollback_fail: 1,
  cancel: 4,
} as const;
export type Outcome = keyof typeof OUTCOMES;
const TOTAL_SHARE = Object.values<number>(OUTCOMES).reduce((sum, share) => sum + share);

/** Durations, simulated ms. */
export interface Durations {
  readonly fetch: number;
  readonly consent: number;
  /** Per tenth of the download. */
  readonly tenth: number;
  readonly verify: number;
  readonly install: number;
  readonly restart: number;
  readonly check: number;
  /** Until the user resumes. */
  readonly pause: number;
}

export interface Scenario {
  readonly outcome: Outcome;
  readonly durations: Durations;
  /** Tenths of the download after which it is paused, cancelled, or fails permanently. */
  readonly stopsAt: number;
  /** For how long it loses its connection after a phase, simulated ms. */
  readonly outage: { readonly after: Phase; readonly forMs: number } | undefined;
  /** Sends each message twice. */
  readonly duplicates: boolean;
  /** Sends neighbouring messages in the wrong order. */
  readonly reorders: boolean;
}

/** Phases after which the connection may be lost. */
const TUNNELS: readonly Phase[] = ['fetching', 'consent', 'downloading', 'installing'];

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/**
 * @param seed of the fleet
 * @param vin of the vehicle
 * @param refId of the operation; each operation has its own scenario
 */
export function scenarioOf(seed: number, vin: string, refId: string): Scenario {
  const dice = new Dice(`${seed} ${vin} ${refId}`);
  const outcome = dice.outcome();
  // One vehicle in ten has a slow connection.
  const slowness = dice.chance(0.1) ? 5 : 1;
  return {
    outcome,
    durations: {
      fetch: dice.between(1, 5) * SECOND,
      consent: dice.between(5, 120) * SECOND,
      tenth: dice.between(5, 20) * SECOND * slowness,
      verify: 5 * SECOND,
      install: dice.between(10, 60) * SECOND,
      restart: dice.between(15, 45) * SECOND,
      check: dice.between(15, 45) * SECOND,
      pause: dice.between(1, 5) * MINUTE,
    },
    stopsAt: dice.between(1, 9),
    outage: dice.chance(0.15)
      ? {
          after: TUNNELS[dice.between(0, TUNNELS.length - 1)] ?? 'fetching',
          forMs: dice.between(1, 5) * MINUTE,
        }
      : undefined,
    duplicates: dice.chance(0.05),
    reorders: dice.chance(0.05),
  };
}

/** How long after the fleet's start a vehicle is switched on, simulated ms; for most, 0. */
export function comesOnlineAfterMs(seed: number, vin: string): number {
  const dice = new Dice(`${seed} ${vin}`);
  return dice.chance(0.1) ? dice.between(1, 10) * MINUTE : 0;
}

class Dice {
  readonly #generator;

  constructor(text: string) {
    this.#generator = xoroshiro128plus(createHash('sha256').update(text).digest().readInt32LE());
  }

  chance(probability: number): boolean {
    return uniformFloat64(this.#generator) < probability;
  }

  between(least: number, most: number): number {
    return uniformInt(this.#generator, least, Math.max(least, most));
  }

  outcome(): Outcome {
    let rest = this.between(0, TOTAL_SHARE - 1);
    for (const [outcome, share] of Object.entries(OUTCOMES) as [Outcome, number][]) {
      if (rest < share) return outcome;
      rest -= share;
    }
    return 'success';
  }
}
