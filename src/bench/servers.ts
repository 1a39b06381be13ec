/** Private instances of the real servers, on their own ports and folders. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { answers, findInstallation, serverAccount } from '../service/database/index.js';

const run = promisify(execFile);

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export function temporaryDirectory(name: string): string {
  return mkdtempSync(join(tmpdir(), `otaops-${name}-`));
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export function findProgram(name: string, extraFolders: string[] = []): string | undefined {
  const folders = [...extraFolders, ...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];
  return folders.map((folder) => join(folder, name)).find(executable);
}

/** A program that is needed is not installed. */
export class ProgramMissing extends Error {
  override readonly name = 'ProgramMissing';
  constructor(program: string, install: string) {
    super(`${program} is not installed; get it with: ${install}`);
  }
}

async function until(ready: () => Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await ready()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what} did not come up in 10 s`);
}
export interface Server {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** SIGKILL, as a crash. */
  kill(): Promise<void>;
  /** In order, with its data left. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** On the same port and data, after {@link kill} or {@link end}. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const exited = (child: ChildProcess) =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise<void>((resolve) => child.once('exit', () => resolve()));

async function serverOf(
  directory: string,
  port: number,
  url: string,
  start: () => ChildProcess,
  ready: () => Promise<boolean>,
  name: string,
): Promise<Server> {
  let child = start();
  await until(ready, name);
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await exited(child);
  };
  return {
    port,
    url,
    get pid() {
      return child.pid ?? 0;
    },
    kill: () => end('SIGKILL'),
    end,
    async restart() {
      child = start();
      await until(ready, name);
    },
    async stop() {
      await end('SIGINT');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

interface PostgresPrograms {
  readonly initdb: string;
  readonly postgres: string;
}

/** The PostgreSQL that is installed on this machine. @throws ProgramMissing */
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

/** The PostgreSQL that comes with us. @throws EmbeddedUnavailable */
export const embeddedPostgres = async (): Promise<PostgresPrograms> =>
  findInstallation(await serverAccount());

/**
 * A PostgreSQL server on a port, with defaults but for size; databases are made in it as needed.
 *
 * @param extra further arguments, `-c name=value`
 */
export async function startPostgres(
  { initdb, postgres }: PostgresPrograms,
  extra: readonly string[] = [],
): Promise<Server> {
  const directory = temporaryDirectory('postgres');
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
  return serverOf(
    directory,
    port,
    url,
    () => spawn(postgres, ['-D', data, ...settings], { ...options, stdio: 'ignore' }),
    () => answers(`${url}/postgres`),
    'PostgreSQL',
  );
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** Settings that the documentation recommends for an adapter's broker, and persistence. */
const MOSQUITTO_SETTINGS = `
allow_anonymous true
max_inflight_messages 0
max_queued_messages 0
max_connections -1
persistence true
autosave_interval 5
set_tcp_nodelay true
log_dest none
`;

/**
 * A Mosquitto broker.
 *
 * @param settings added to the recommended ones
 * @throws ProgramMissing
 */
export function startMosquitto(settings = ''): Promise<Server> {
  return startMosquittoWith(
    ({ directory, port }) =>
      `listener ${port} 127.0.0.1\npersistence_location ${directory}/\n` +
      MOSQUITTO_SETTINGS +
      settings,
  );
}

/**
 * A Mosquitto broker with a configuration of its own.
 *
 * @param configure makes its text; it may write other files into the folder
 * @throws ProgramMissing
 */
export async function startMosquittoWith(
  configure: (place: { directory: string; port: number }) => string | Promise<string>,
): Promise<Server> {
  const mosquitto = findProgram('mosquitto');
  if (!mosquitto) throw new ProgramMissing('Mosquitto', 'apt-get install mosquitto');
  const directory = temporaryDirectory('mosquitto');
  // As root it becomes user mosquitto, which must be able to write here.
  chmodSync(directory, 0o777);
  const port = await freePort();
  const file = join(directory, 'mosquitto.conf');
  writeFileSync(file, await configure({ directory, port }));
  return serverOf(
    directory,
    port,
    `mqtt://127.0.0.1:${port}`,
    () => spawn(mosquitto, ['-c', file], { stdio: 'ignore' }),
    () => accepts(port),
    'Mosquitto',
  );
}
