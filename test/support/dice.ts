/** Random choices of chaos tests, reproducible by seed (`TEST_SEED`). */
import { basename } from 'node:path';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { expect } from 'vitest';
import { seed } from './depth.js';

export interface Dice {
  /** From 0 to 1. */
  random(): number;
  between(least: number, most: number): number;
  pick<T>(from: readonly [T, ...T[]]): T;
}

export function throwDice(): Dice {
  const generator = xoroshiro128plus(seed);
  const random = () => uniformFloat64(generator);
  return {
    random,
    between: (least, most) => least + random() * (most - least),
    pick: (from) => from[Math.floor(random() * from.length)] ?? from[0],
  };
}

const started = Date.now();
/** Seconds since the start of the file. */
export const clockOf = (ms: number): string => ((ms - started) / 1000).toFixed(0).padStart(4);
export function say(what: string): void {
  const file = basename(expect.getState().testPath ?? '', '.chaos.ts');
  console.log(`${file}: ${clockOf(Date.now())} s  ${what}`);
}
