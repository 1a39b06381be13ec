/** How much garbage a server lets gather before it is collected. */
import { setFlagsFromString } from 'node:v8';

/**
 * Of what was alive at the last collection of the old generation. V8 alone would let the heap grow to several times
 * that, and the memory it has grown to once it hardly gives back. What waits for the database's commit is alive for
 * longer than a young object, so at full load nearly all of the old generation is such garbage. More frequent collections
 * spare memory and cost processor time; decision 0045 has the figures.
 */
const GROWTH_PERCENT = 40;

/** For the rest of this process. */
export function limitHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
