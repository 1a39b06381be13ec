/** Private PostgreSQL servers. */
import { execFile, spawn } from 'node:child_process';
import { chownSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { answers, findInstallation, serverAccount } from '../service/database/index.js';
import { freePort, temporaryDirectory } from './place.js';
import { findProgram, ProgramMissing } from './program.js';
import { type Server, startServerProcess } from './server-process.js';

const run = promisify(execFile);

/** Paths of PostgreSQL's programs. */
export interface PostgresPrograms {
  readonly initdb: string;
  readonly postgres: string;
}

/** The PostgreSQL installed on this machine. @throws ProgramMissing */
export async function installedPostgres(): Promise<PostgresPrograms> {
  const folder = await run('pg_config', ['--bindir']).then(
    ({ stdout }) => [stdout.trim()],
    () => [],
  );
  const initdb = findProgram('initdb', folder);
  const postgres = findProgram('postgres', folder);
  if (!initdb || !postgres) throw new ProgramMissing('PostgreSQL', 'apt-get install postgresql');
  return { initdb, postgres };
}

/** The PostgreSQL shipped with this package. @throws EmbeddedUnavailable */
export const embeddedPostgres = async (): Promise<PostgresPrograms> =>
  findInstallation(await serverAccount());

/**
 * A PostgreSQL server with default settings, except for its size. Callers create databases as needed.
 *
 * @param extra further arguments, `-c name=value`
 * @param folder of its data; undefined: the system's one for temporary files
 */
export async function startPostgres(
  { initdb, postgres }: PostgresPrograms,
  extra: readonly string[] = [],
  folder?: string,
): Promise<Server> {
  const directory = temporaryDirectory('postgres', folder);
  const port = await freePort();
  const account = await serverAccount();
  if (account) chownSync(directory, account.uid, account.gid);
  const data = join(directory, 'data');
  const options = { ...account, cwd: directory };
  await run(
    initdb,
    ['-D', data, '-U', 'otaops', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'],
    options,
  );
  const settings = ['-p', String(port), '-k', directory, '-h', '127.0.0.1'];
  settings.push('-c', 'max_connections=200', '-c', 'shared_buffers=256MB', ...extra);
  const url = `postgres://otaops@127.0.0.1:${port}`;
  return startServerProcess({
    name: 'PostgreSQL',
    directory,
    port,
    url,
    start: () => spawn(postgres, ['-D', data, ...settings], { ...options, stdio: 'ignore' }),
    isReady: () => answers(`${url}/postgres`),
  });
}
