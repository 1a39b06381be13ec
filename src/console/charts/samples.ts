import { type Sample } from '../api/adapter.js';

/** Samples are taken every two seconds; one that comes later is of an operation from before there were any, ms. */
const SOON_MS = 30_000;

/** An operation begins with no vehicle: the curves begin there too. Pure. */
export function fromItsBeginning(samples: readonly Sample[], createdAt: string): readonly Sample[] {
  const [first] = samples;
  const isFromBeginning = first && Date.parse(first.at) - Date.parse(createdAt) < SOON_MS;
  return isFromBeginning ? [{ at: createdAt, states: {} }, ...samples] : samples;
}
