/** How many vehicles each wave has: pure. */
import { type SchedulePlan, type WavePlan } from '../../contract/carota-api/index.js';

/**
 * Waves that a plan can have at most, known before its vehicles are: the guard shares its error
 * probability among them, so its bounds are the same before the start and after it.
 */
export function mostWaves({ waves = [] }: SchedulePlan): number {
  const percent = waves.reduce((sum, wave) => sum + (wave.percent ?? 0), 0);
  return percent >= 100 ? waves.length : waves.length + 1;
}

/**
 * Percentages are of all vehicles and rounded up, so that a small canary is at least one. Waves that find nobody left are
 * left out; whoever is left over comes in one more.
 *
 * @param total vehicles, with those that waves name
 * @param named how many of the named ones each wave really has
 */
export function waveSizes(
  waves: readonly WavePlan[],
  total: number,
  named: readonly number[],
): number[] {
  const sizes: number[] = [];
  // Those that a later wave names are not for the others.
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
