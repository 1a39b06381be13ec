/** The chance of a chaos run: the same for the same seed. `CHAOS_SEED` repeats one. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export interface Dice {
  readonly seed: number;
  /** From 0 to 1. */
  random(): number;
  between(least: number, most: number): number;
  pick<T>(from: readonly [T, ...T[]]): T;
}

export function throwDice(): Dice {
  const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 2 ** 31);
  const generator = xoroshiro128plus(seed);
  const random = () => uniformFloat64(generator);
  console.log(`chaos: CHAOS_SEED=${seed}`);
  return {
    seed,
    random,
    between: (least, most) => least + random() * (most - least),
    pick: (from) => from[Math.floor(random() * from.length)] ?? from[0],
  };
}

/** `CHAOS=long` for the long form. */
export const isLong = process.env.CHAOS === 'long';

const started = Date.now();
/** Seconds since the start of the suite. */
export const clockOf = (ms: number): string => ((ms - started) / 1000).toFixed(0).padStart(4);
export const say = (what: string): void => console.log(`chaos: ${clockOf(Date.now())} s  ${what}`);
