/** Samples of an operation as curves. Pure. */
import { type Sample } from '../../contract/adapter-api/index.js';
import { byGroup, finished, GROUPS, notified } from '../states/groups.js';

/** A later first sample means that the operation was not sampled from its start, ms. */
const FIRST_SAMPLE_MS = 30_000;

/** Adds a first sample without vehicles at the start of the operation. */
export function fromStart(samples: readonly Sample[], createdAt: string): readonly Sample[] {
  const [first] = samples;
  const isFromStart = first && Date.parse(first.at) - Date.parse(createdAt) < FIRST_SAMPLE_MS;
  return isFromStart ? [{ at: createdAt, states: {} }, ...samples] : samples;
}

/** Cumulative sums: the first group lies on the axis, and the last sum is all vehicles. */
export function stacked(samples: readonly Sample[]): [times: number[], ...sums: number[][]] {
  const sums: number[][] = GROUPS.map(() => []);
  for (const { states } of samples) {
    let below = 0;
    for (const [place, vehicles] of byGroup(states).entries()) {
      below += vehicles;
      sums[place]?.push(below);
    }
  }
  return [samples.map(({ at }) => Date.parse(at) / 1000), ...sums];
}

/** Vehicles finished, and triggers sent, per minute between each two samples. */
export function perMinute(
  samples: readonly Sample[],
): [times: number[], finished: (number | null)[], sent: (number | null)[]] {
  const times: number[] = [];
  const rates: [(number | null)[], (number | null)[]] = [[], []];
  for (const [place, sample] of samples.entries()) {
    times.push(Date.parse(sample.at) / 1000);
    const before = samples[place - 1];
    const minutes = before ? (Date.parse(sample.at) - Date.parse(before.at)) / 60_000 : 0;
    const rate = (of: (sample: Sample) => number) =>
      before && minutes > 0 ? Math.max(0, of(sample) - of(before)) / minutes : null;
    rates[0].push(rate(({ states }) => finished(states)));
    rates[1].push(rate(({ states }) => notified(states)));
  }
  return [times, ...rates];
}
