/** A server as a child process that can be killed and restarted on the same port and data. */
import { type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';

export interface Server {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** SIGKILL, like a crash. */
  kill(): Promise<void>;
  /** Shuts it down and keeps its data. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** On the same port and data, after {@link kill} or {@link end}. */
  restart(): Promise<void>;
  /** Shuts it down and deletes its data. */
  stop(): Promise<void>;
}

export interface ServerProcessOptions {
  /** For error messages. */
  readonly name: string;
  /** Its data; deleted when it stops. */
  readonly directory: string;
  readonly port: number;
  readonly url: string;
  readonly start: () => ChildProcess;
  /** Whether it accepts connections. */
  readonly isReady: () => Promise<boolean>;
}

const POLL_MS = 50;
const READY_WITHIN_MS = 30_000;

/** Cleanups of the running servers. */
const cleanups = new Set<() => void>();
// An interrupted test run leaves neither servers nor their data, which may be in memory.
process.on('exit', () => {
  for (const cleanUp of cleanups) cleanUp();
});

/** Resolves when the server is ready. @throws Error if it does not become ready in time */
export async function startServerProcess(options: ServerProcessOptions): Promise<Server> {
  const { directory, port, url, start } = options;
  let child = start();
  const cleanUp = () => {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  cleanups.add(cleanUp);
  await untilReady(options);
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await exit(child);
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
      // The processes of a killed PostgreSQL end after it, and until then another one ends at once.
      await untilReady(options, () => {
        if (hasEnded(child)) child = start();
      });
    },
    async stop() {
      await end('SIGINT');
      cleanups.delete(cleanUp);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function untilReady(
  { name, isReady }: ServerProcessOptions,
  revive: () => void = () => undefined,
): Promise<void> {
  for (let waited = 0; waited < READY_WITHIN_MS; waited += POLL_MS) {
    if (await isReady()) return;
    revive();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`${name} was not ready within ${READY_WITHIN_MS / 1000} s`);
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess) =>
  exitCode !== null || signalCode !== null;

const exit = (child: ChildProcess) =>
  hasEnded(child)
    ? Promise.resolve()
    : new Promise<void>((resolve) => child.once('exit', () => resolve()));
