/** Computes the sizes of waves. Pure. */
import { type WavePlan } from '../../contract/carota-api/index.js';

/**
 * Percentages refer to all vehicles and are rounded up, so that a small canary wave has at least one vehicle. Waves for
 * which no vehicle is left have size 0; remaining vehicles form a final wave.
 *
 * @param total vehicles, including those that waves name
 * @param named for each wave, how many of the vehicles that it names are in the schedule
 */
export function waveSizes(
  waves: readonly WavePlan[],
  total: number,
  named: readonly number[],
): number[] {
  const sizes: number[] = [];
  // Vehicles that a wave names are not available to other waves.
  let free = total - named.reduce((sum, number) => sum + number, 0);
  for (const [place, wave] of waves.entries()) {
    const wanted = wave.vehicles ?? Math.ceil((total * (wave.percent ?? 0)) / 100);
    const size = wave.vins ? (named[place] ?? 0) : Math.min(wanted, free);
    if (!wave.vins) free -= size;
    sizes.push(size);
  }
  if (free > 0) sizes.push(free);
  return sizes;
}
