/** A PostgreSQL server of our own, restarted when it dies and ended together with us. */
import { closeSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffPause } from '../../../contract/index.js';
import { answers } from '../answers.js';
import { type Descriptor, tryLock, unlock } from '../../data-directory/file-lock.js';
import { type Account, serverAccount } from './account.js';
import { ensureCluster, settingsArguments, SUPERUSER } from './cluster.js';
import { findInstallation, type Installation } from './installation.js';
import { endOrphan, removeStaleLockFiles } from './orphan.js';
import { type ServerProcess, startServerProcess } from './server-process.js';
import { EmbeddedUnavailable } from './unavailable.js';

export interface PrivateServer {
  /** `postgres://otaops@<directory of its socket>/postgres`: the superuser. */
  readonly url: string;
  /** The same for another role. */
  readonly urlOf: (role: string) => string;
  /** Why it does not answer; undefined while it runs. */
  readonly problem: () => string | undefined;
  stop(): Promise<void>;
}

/** A server whose owner was killed ends by itself within this time, ms; after that it is ended. */
const ORPHAN_MS = 5_000;
/** Backoff before a restart; it resets once the server has run for longer than the longest pause. */
const RESTART: Backoff = { firstPauseMs: 250, longestPauseMs: 10_000 };
/** Pauses between the questions whether it answers: a refusal costs it a process, and a line of its log. */
const QUESTIONS: Backoff = { firstPauseMs: 20, longestPauseMs: 100 };

/**
 * Starts a server on the cluster, which is created if missing. The caller holds the data directory's lock.
 *
 * @param cluster absolute path of its directory
 * @throws EmbeddedUnavailable
 */
export async function startPrivateServer(cluster: string): Promise<PrivateServer> {
  const account = await serverAccount(cluster);
  const installation = await findInstallation(account);
  const lock = await takeServerLock(cluster);
  try {
    await ensureCluster(cluster, installation, account);
  } catch (error) {
    unlock(lock);
    throw error;
  }
  const server = new Server(cluster, installation, account);
  await server.start(lock);
  return server;
}

class Server implements PrivateServer {
  readonly url: string;
  readonly #cluster: string;
  readonly #installation: Installation;
  readonly #account: Account | undefined;
  #process: ServerProcess | undefined;
  readonly #socket: SocketFolder;
  #problem: string | undefined;
  readonly #stopping = new AbortController();
  #keptRunning: Promise<void> = Promise.resolve();

  constructor(cluster: string, installation: Installation, account: Account | undefined) {
    this.#cluster = cluster;
    this.#installation = installation;
    this.#account = account;
    this.#socket = socketFolder(cluster);
    this.url = this.urlOf(SUPERUSER);
  }

  readonly urlOf = (role: string) =>
    `postgres://${role}@${encodeURIComponent(this.#socket.path)}:5432/postgres?sslmode=disable`;

  readonly problem = () => this.#problem;

  async start(lock: Descriptor): Promise<void> {
    const process = this.#run(lock);
    const failure = await this.#ready(process);
    if (failure !== undefined) {
      this.#socket.close();
      throw new EmbeddedUnavailable(`the server in ${this.#cluster} ended at once:\n${failure}`);
    }
    this.#keptRunning = this.#keepRunning(process);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#process?.stop();
    await this.#keptRunning;
    this.#socket.close();
  }

  /** The server has the lock from then on; if it cannot be started, nobody has. */
  #run(lock: Descriptor): ServerProcess {
    try {
      removeStaleLockFiles(this.#cluster, ['postmaster.pid', `${SOCKET_NAME}.lock`]);
      this.#process = startServerProcess(
        this.#installation,
        this.#cluster,
        `${this.#cluster}.log`,
        settingsArguments(),
        this.#account,
        lock,
      );
      return this.#process;
    } finally {
      unlock(lock);
    }
  }

  /** Waits until it answers, however long recovery takes. @returns its log if it ends instead */
  async #ready(process: ServerProcess): Promise<string | undefined> {
    for (let refusals = 0; ;) {
      if (process.hasEnded()) return process.ended;
      if (await answers(this.url)) return undefined;
      refusals += 1;
      await sleep(backoffPause(QUESTIONS, refusals, 0));
    }
  }

  async #keepRunning(first: ServerProcess): Promise<void> {
    let process: ServerProcess | undefined = first;
    let failures = 0;
    while (!this.#isStopping()) {
      if (process) {
        const startedAt = performance.now();
        await process.ended;
        if (this.#isStopping()) return;
        if (performance.now() - startedAt > RESTART.longestPauseMs) failures = 0;
        this.#problem =
          'the embedded PostgreSQL ended and is being started again; database.log says why';
      }
      failures += 1;
      const pauseMs = backoffPause(RESTART, failures, Math.random());
      await sleep(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      process = await this.#startAgain();
    }
  }

  /** @returns undefined if it was not started: the problem says why, or it is to be stopped */
  async #startAgain(): Promise<ServerProcess | undefined> {
    try {
      const lock = await takeServerLock(this.#cluster);
      // A stop requested in the meantime found nothing to end.
      if (this.#isStopping()) {
        unlock(lock);
        return undefined;
      }
      const process = this.#run(lock);
      void this.#ready(process).then((failed) => {
        if (failed === undefined) this.#problem = undefined;
      });
      return process;
    } catch (error) {
      const why = (error as Error).message;
      this.#problem = `the embedded PostgreSQL ended and cannot be started again: ${why}`;
      return undefined;
    }
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }
}

/** Waits until no server process on this cluster is left. @throws EmbeddedUnavailable */
async function takeServerLock(cluster: string): Promise<Descriptor> {
  const file = join(dirname(cluster), 'database.lock');
  const lock = (await tryLock(file, ORPHAN_MS)) ?? (await endOrphan(cluster, file));
  if (lock !== undefined) return lock;
  throw new EmbeddedUnavailable(
    `a PostgreSQL server is still running in ${cluster} and could not be stopped`,
  );
}

/** A socket path has at most 107 bytes (unix(7)); on macOS 103. */
const LONGEST_SOCKET_PATH = process.platform === 'darwin' ? 103 : 107;
const SOCKET_NAME = '/.s.PGSQL.5432';

/** A path to the server's socket directory that is short enough for the socket in it. */
interface SocketFolder {
  readonly path: string;
  close(): void;
}

/** @throws EmbeddedUnavailable */
function socketFolder(cluster: string): SocketFolder {
  if (Buffer.byteLength(cluster + SOCKET_NAME) <= LONGEST_SOCKET_PATH) {
    return { path: cluster, close: () => undefined };
  }
  if (process.platform !== 'linux') {
    throw new EmbeddedUnavailable(
      `${cluster} is too long for a socket in it. Choose a shorter --data-dir`,
    );
  }
  const descriptor = openSync(cluster, 'r');
  return { path: `/proc/self/fd/${descriptor}`, close: () => closeSync(descriptor) };
}
