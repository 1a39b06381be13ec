/** The embedded database: a PostgreSQL server of our own on the data directory, used like any other. */
import { join } from 'node:path';
import { openDataDirectory } from '../../data-directory/data-directory.js';
import { type LanedDatabase } from '../lanes.js';
import { openPostgres } from '../postgres.js';
import { asSuperuser, createServerRole, SERVER_ROLE } from './server-role.js';
import { noRoom } from './room.js';
import { type PrivateServer, startPrivateServer } from './private-server.js';
import { EmbeddedUnavailable } from './unavailable.js';

export { serverAccount } from './account.js';
export { findInstallation } from './installation.js';
export { SERVER_ROLE } from './server-role.js';

/**
 * Opens the database in a data directory, which is created if missing.
 *
 * @param path of the data directory; the cluster is its subdirectory `database`
 * @throws DataDirectoryInUse, EmbeddedUnavailable, LockFailed
 */
export async function openEmbedded(
  path: string,
  onConnectionLost: (error: Error) => void = () => undefined,
  readingSeconds?: number,
): Promise<LanedDatabase> {
  const directory = await openDataDirectory(path);
  try {
    const server = await startServer(join(directory.path, 'database'));
    const url = server.urlOf(SERVER_ROLE);
    const database = openPostgres({ url, onConnectionLost, readingSeconds });
    const problem = async () => (await noRoom(directory.path)) ?? server.problem();
    return {
      ...database,
      requests: { ...database.requests, problem },
      reading: { ...database.reading, problem },
      problem,
      asSuperuser: (work) => asSuperuser(server.url, work),
      async close() {
        await database.close();
        await server.stop();
        directory.release();
      },
    };
  } catch (error) {
    directory.release();
    throw await withRoom(directory.path, error as Error);
  }
}

async function startServer(cluster: string): Promise<PrivateServer> {
  const server = await startPrivateServer(cluster);
  try {
    await createServerRole(server.url);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

/** PostgreSQL does not name the disk that is full. */
async function withRoom(directory: string, error: Error): Promise<Error> {
  const full = await noRoom(directory);
  if (full === undefined) return error;
  const why = error instanceof EmbeddedUnavailable ? error.why : error.message;
  return new EmbeddedUnavailable(`${full}; ${why}`, { cause: error });
}
