/** The embedded database for one piece of work, while no adapter runs on it. */
import { openDataDirectory } from './data-directory.js';
import { type Database } from './database.js';
import { openEmbedded } from './embedded.js';
import { migrate } from './migrate.js';

/** @throws DataDirectoryInUse while an adapter has it open */
export async function withDatabase<T>(
  dataDir: string,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const directory = await openDataDirectory(dataDir);
  try {
    const database = await openEmbedded(directory.database);
    try {
      await migrate(database);
      return await work(database);
    } finally {
      await database.close();
    }
  } finally {
    await directory.release();
  }
}
