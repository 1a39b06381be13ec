/**
 * Real servers for tests. A missing program fails the run on CI; elsewhere its tests are skipped with installation
 * instructions.
 */
import {
  embeddedPostgres,
  findProgram,
  installedPostgres,
  ProgramMissing,
  type Server,
  startPostgres as startPostgresOf,
} from '../../src/test-bed/index.js';

export {
  freePort,
  type Server,
  startMosquitto,
  temporaryDirectory,
} from '../../src/test-bed/index.js';

/**
 * A PostgreSQL server: the one that comes with the package or, with OTAOPS_TEST_POSTGRES=installed, the one installed
 * on this machine.
 *
 * @param folder of its data; undefined: the system's temporary folder
 * @throws ProgramMissing
 */
export async function startPostgres(
  extra: readonly string[] = [],
  wanted = process.env.OTAOPS_TEST_POSTGRES ?? 'embedded',
  folder?: string,
): Promise<Server> {
  if (wanted !== 'embedded' && wanted !== 'installed') {
    throw new Error(`OTAOPS_TEST_POSTGRES is "embedded" or "installed", not "${wanted}"`);
  }
  const programs = wanted === 'installed' ? installedPostgres() : embeddedPostgres();
  return startPostgresOf(await programs, extra, folder);
}

/** Outside CI, undefined if the program is missing. */
export async function ifInstalled<T>(start: () => Promise<T>): Promise<T | undefined> {
  try {
    return await start();
  } catch (error) {
    if (process.env.CI || !(error instanceof ProgramMissing)) throw error;
    console.warn(`SKIPPED: ${error.message}`);
    return undefined;
  }
}

/** Whether a program is installed; if not, see {@link ifInstalled}. */
export async function isInstalled(program: string, install: string): Promise<boolean> {
  const found = await ifInstalled(() => {
    if (findProgram(program) === undefined) throw new ProgramMissing(program, install);
    return Promise.resolve(true);
  });
  return found === true;
}

/** mosquitto_pub and mosquitto_sub. */
export async function mosquittoClients(): Promise<{ pub: string; sub: string } | undefined> {
  const known = await isInstalled('mosquitto_pub', 'apt-get install mosquitto-clients');
  return known ? { pub: 'mosquitto_pub', sub: 'mosquitto_sub' } : undefined;
}
