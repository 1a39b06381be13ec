/** The database cluster on disk, and the settings that its server runs with. */
import { execFile } from 'node:child_process';
import { chown, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { type Account } from './account.js';
import { type Installation } from './installation.js';
import { EmbeddedUnavailable } from './unavailable.js';

const run = promisify(execFile);

export const SUPERUSER = 'otaops';

/**
 * How the server and initdb find the cluster: it is their working directory. So its parent directories need not be
 * accessible to their account, as those of a clone in root's home are not.
 */
export const CLUSTER_ARGUMENT = process.platform === 'linux' ? '/proc/self/cwd' : '.';

/** Settings the server always runs with. */
const SETTINGS = {
  // Reachable only through its directory, which is closed to others.
  listen_addresses: '',
  port: '5432',
  unix_socket_directories: '.',
  unix_socket_permissions: '0700',
  // A statement's error is reported to its caller.
  log_min_messages: 'log',
  log_checkpoints: 'off',
  cluster_name: 'otaops',
  // The server ends and is started again by us, who report it: one way to recover, whatever crashed.
  restart_after_crash: 'off',
};

/**
 * The postgresql.conf of a new cluster, for one process of ours (a pool of 8), `pg_dump` and `psql`. Durable commits
 * (fsync, full_page_writes, synchronous_commit) are PostgreSQL's default.
 */
const CONFIGURATION = {
  max_connections: '32',
  shared_buffers: '128MB',
  max_wal_size: '1GB',
  // Fewer full-page images; a recovery still takes only seconds.
  checkpoint_timeout: '15min',
  wal_compression: 'on',
  // Statements look up rows by key, and a container has little shared memory.
  max_parallel_workers_per_gather: '0',
  huge_pages: 'off',
};

/**
 * Our environment without PostgreSQL's variables (PGPORT, PGDATA, PGTZ …), and without our settings and credentials:
 * the database runs as another user, and every process it starts could read them.
 */
export const serverEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(PG|OTAOPS_|AWS_)/.test(name)),
  );

/** `-c name=value` for each, as postgres and initdb take them. */
export const settingsArguments = (
  settings: Readonly<Record<string, string>> = SETTINGS,
): string[] => Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);

/**
 * Creates the cluster if it is missing: in a temporary directory, renamed once it is complete and on disk.
 *
 * @param cluster absolute path; its parent exists
 * @throws EmbeddedUnavailable
 */
export async function ensureCluster(
  cluster: string,
  installation: Installation,
  account: Account | undefined,
): Promise<void> {
  const version = await readFile(`${cluster}/PG_VERSION`, 'utf8').catch(() => undefined);
  if (version !== undefined) {
    mustBeOfVersion(cluster, version.trim(), installation);
    return;
  }
  const fresh = `${cluster}.new`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { mode: 0o700 });
  if (account) await chown(fresh, account.uid, account.gid);
  await initdb(fresh, installation, account);
  await rename(fresh, cluster);
  const parent = await open(dirname(cluster));
  await parent.sync().finally(() => parent.close());
}

function mustBeOfVersion(cluster: string, version: string, { major }: Installation): void {
  if (version === String(major)) return;
  throw new EmbeddedUnavailable(
    `${cluster} was made by PostgreSQL ${version}, and this is PostgreSQL ${major}. Export it with pg_dump ` +
      `of the otaops version that made it, and import it into an empty one`,
  );
}

/**
 * Text is UTF-8 and sorted by code point, the same on every system. Everyone who reaches the socket is trusted: only the
 * account itself and root can.
 */
async function initdb(
  folder: string,
  { initdb: program }: Installation,
  account: Account | undefined,
): Promise<void> {
  const options = ['--username', SUPERUSER, '--auth', 'trust', '--encoding', 'UTF8'];
  options.push('--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8', '--no-locale');
  options.push(...settingsArguments(CONFIGURATION));
  try {
    await run(program, ['-D', CLUSTER_ARGUMENT, '--data-checksums', ...options], {
      ...account,
      cwd: folder,
      env: serverEnvironment(),
    });
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    throw new EmbeddedUnavailable(`initdb in ${folder} failed: ${stderr.trim() || message}`, {
      cause: error,
    });
  }
}
