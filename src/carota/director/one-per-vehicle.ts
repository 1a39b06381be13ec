/** Batches that store at most one item per vehicle: the others must be computed again. */

interface OfVehicle {
  readonly vin: string;
}

/** The first of each vehicle; always in the same order, so that two processes cannot deadlock. */
export function onePerVehicle<Item extends OfVehicle>(all: readonly Item[]): readonly Item[] {
  const byVin = new Map<string, Item>();
  for (const item of all) if (!byVin.has(item.vin)) byVin.set(item.vin, item);
  return [...byVin.values()].sort((a, b) => (a.vin < b.vin ? -1 : 1));
}

/** @returns for each item whether it was stored */
export function storedFlags<Item extends OfVehicle>(
  all: readonly Item[],
  rows: readonly Item[],
  stored: readonly OfVehicle[],
): readonly boolean[] {
  const vins = new Set(stored.map(({ vin }) => vin));
  const done = new Set(rows.filter(({ vin }) => vins.has(vin)));
  return all.map((item) => done.has(item));
}
