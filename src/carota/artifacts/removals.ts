/** Removes the bytes of deleted artifacts from the store. A crash in between leaves a row, and the removal is repeated. */
import { type Database, type Queryable } from '../../service/database/index.js';
import { type ArtifactStore } from './artifact-store.js';

export async function noteRemoval(tx: Queryable, sha256: string): Promise<void> {
  await tx.query('insert into artifact_removals (sha256) values ($1) on conflict do nothing', [
    sha256,
  ]);
}

/** Waits for concurrent removals of the same bytes, which could be stored again right afterwards. */
export async function finishRemoval(
  database: Database,
  store: ArtifactStore,
  sha256: string,
): Promise<void> {
  await database.transaction(async (tx) => {
    const rows = await tx.query(
      'select sha256 from artifact_removals where sha256 = $1 for update',
      [sha256],
    );
    if (rows.length === 0) return;
    await store.remove(sha256);
    await tx.query('delete from artifact_removals where sha256 = $1', [sha256]);
  });
}

export async function openRemovals(database: Queryable): Promise<string[]> {
  const rows = await database.query<{ sha256: string }>('select sha256 from artifact_removals');
  return rows.map(({ sha256 }) => sha256);
}
