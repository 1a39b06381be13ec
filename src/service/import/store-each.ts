/** Stores the entries of an import together; if the database refuses one, finds out which. */
import { DatabaseError } from '../database/index.js';

/** An entry that the database refuses. */
export interface RefusedEntry<Entry> {
  readonly entry: Entry;
  readonly error: DatabaseError;
}

/**
 * All entries in one call; if the database refuses that, one entry per call, so that an invalid value is reported for
 * its own line and stops no other.
 *
 * @param store stores entries in one transaction
 * @throws DatabaseError where the database is unavailable
 */
export async function storeEach<Entry>(
  entries: readonly Entry[],
  store: (entries: readonly Entry[]) => Promise<void>,
): Promise<RefusedEntry<Entry>[]> {
  const [first] = entries;
  if (first === undefined) return [];
  try {
    await store(entries);
    return [];
  } catch (error) {
    if (!(error instanceof DatabaseError && error.isPermanent)) throw error;
    if (entries.length === 1) return [{ entry: first, error }];
  }
  const refused: RefusedEntry<Entry>[] = [];
  for (const entry of entries) refused.push(...(await storeEach([entry], store)));
  return refused;
}
