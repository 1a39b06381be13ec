/** Download progress is not reported too often or in too small steps. */
import { expect, test } from 'vitest';
import { Progress } from '../../src/vehicle/update/progress.js';

test('progress is reported after enough bytes and enough time', () => {
  const progress = new Progress(1_000, { progressSeconds: 5, progressPercent: 10 });
  expect(progress.at(0, 0)).toBe(0);
  // Enough bytes, too soon; later enough time, too few bytes.
  expect(progress.at(500, 4_999)).toBeUndefined();
  expect(progress.at(500, 5_000)).toBe(50);
  expect(progress.at(599, 60_000)).toBeUndefined();
  expect(progress.at(600, 60_000)).toBe(60);
});
