/** A download tells how far it is: not too often, and not too little at a time. */
import { expect, test } from 'vitest';
import { Progress } from '../../src/vehicle/update/progress.js';

test('progress is told when enough has come and enough time has passed', () => {
  const progress = new Progress(1_000, { progressSeconds: 5, progressPercent: 10 });
  expect(progress.at(0, 0)).toBe(0);
  // Enough has come, too soon; and later enough time has passed, too little has come.
  expect(progress.at(500, 4_999)).toBeUndefined();
  expect(progress.at(500, 5_000)).toBe(50);
  expect(progress.at(599, 60_000)).toBeUndefined();
  expect(progress.at(600, 60_000)).toBe(60);
});
