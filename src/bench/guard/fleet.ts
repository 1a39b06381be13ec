/** Simulated vehicles: when they want the update, and what becomes of it. Times in minutes. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export const FLEET = 100_000;
/** All have the update after 17 hours if nothing holds them up. */
const PER_MINUTE = 100;

/** How a bad update shows: at once, by silence after the reboot, or hours after the vehicle has reported success. */
export const MANNERS = ['loudly', 'silently', 'late'] as const;
export type Manner = (typeof MANNERS)[number];

export interface Update {
  /** Share of the vehicles that it damages. */
  readonly rate: number;
  readonly manner: Manner;
  /** Vehicles that want the update each minute. */
  readonly perMinute: number;
}

export const updateOf = (rate: number, manner: Manner): Update => ({
  rate,
  manner,
  perMinute: PER_MINUTE,
});

/**
 * In November 2023, Rivian's software 2023.42 contained a wrong certificate: within two hours it reached 3 % of the fleet
 * before people stopped it. The infotainment systems of these vehicles did not restart, and none of them reported success.
 */
export const RIVIAN = {
  update: { rate: 1, manner: 'silently', perMinute: (0.03 * FLEET) / 120 },
  /** Vehicles that it reached before people stopped it. */
  reached: 0.03 * FLEET,
} as const satisfies { update: Update; reached: number };

/** What one vehicle does after it has started; minutes since then. */
export interface Course {
  readonly isDamaged: boolean;
  readonly reboot: number;
  /** When it reports success; undefined: never. */
  readonly success: number | undefined;
  /** When it reports failure; undefined: never. */
  readonly failure: number | undefined;
}

export type Random = () => number;

export function randomFrom(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  return () => uniformFloat64(generator);
}

const exponential = (random: Random, mean: number) => -mean * Math.log(1 - random());

/** Failures report sooner than successes, as they do in the field. */
export function courseOf({ rate, manner }: Update, random: Random): Course {
  const isDamaged = random() < rate;
  const reboot = 15 + exponential(random, 15);
  const success = reboot + 5 + exponential(random, 5);
  if (!isDamaged) return { isDamaged, reboot, success, failure: undefined };
  switch (manner) {
    case 'loudly':
      return {
        isDamaged,
        reboot,
        success: undefined,
        failure: 5 + exponential(random, 5),
      };
    case 'silently':
      return { isDamaged, reboot, success: undefined, failure: undefined };
    case 'late':
      return { isDamaged, reboot, success, failure: success + 60 + 660 * random() };
  }
}
