/**
 * The real servers, for tests. Where a program is missing: on CI the run fails, elsewhere its tests
 * are skipped with a line saying how to get it.
 */
import { findProgram, ProgramMissing } from '../../src/bench/servers.js';

export {
  freePort,
  type Server,
  startMosquitto,
  startPostgres,
  temporaryDirectory,
} from '../../src/bench/servers.js';

/** Off CI, undefined where the program is missing. */
export async function ifInstalled<T>(start: () => Promise<T>): Promise<T | undefined> {
  try {
    return await start();
  } catch (error) {
    if (process.env.CI || !(error instanceof ProgramMissing)) throw error;
    console.warn(`SKIPPED: ${error.message}`);
    return undefined;
  }
}

/** Whether a program is there; if not, see {@link ifInstalled}. */
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
