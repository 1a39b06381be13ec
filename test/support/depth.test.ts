/** Tests that take turns: runs with different seeds cover all of them, and a run at full depth runs all at once. */
import { expect, test } from 'vitest';
import { hasTurn, takingTurns } from './depth.js';

const SEEDS = [6, 7, 8];
const PLACES = [0, 1, 2] as const;
const quick = (seed: number) => ({ isFullDepth: false, seed });
const full = { isFullDepth: true, seed: 6 };
/** Whether each of seven tests has a turn. */
const turnsOf = (run: typeof full) => {
  const isTurn = takingTurns(3, run);
  return Array.from({ length: 7 }, () => isTurn());
};

test('each test of a file runs in exactly one of three consecutive quick runs', () => {
  const runs = SEEDS.map((seed) => turnsOf(quick(seed)));
  const turns = runs[0]?.map((_, place) => runs.filter((run) => run[place]).length);
  expect(turns).toEqual([1, 1, 1, 1, 1, 1, 1]);
  expect(runs.map((run) => run.filter(Boolean).length)).toEqual([3, 2, 2]);
});

test('and so does each file with real processes', () => {
  for (const place of PLACES) {
    expect(SEEDS.filter((seed) => hasTurn(place, quick(seed)))).toHaveLength(1);
  }
});

test('at full depth, all have their turn', () => {
  expect(turnsOf(full)).toEqual(Array.from({ length: 7 }, () => true));
  expect(PLACES.map((place) => hasTurn(place, full))).toEqual([true, true, true]);
});
