/** One run of the server: its process, and a guard that outlives us for as long as necessary. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { type Descriptor } from '../../data-directory/file-lock.js';
import { type Account } from './account.js';
import { CLUSTER_ARGUMENT, serverEnvironment } from './cluster.js';
import { type Installation } from './installation.js';

/** How long a fast shutdown may take, and then an immediate one, seconds. */
const ORDERLY_S = 20;
const AT_ALL_S = 5;

/**
 * Runs the server, and ends it when its own standard input ends: when we close it, or our process ends for any reason. It
 * runs in a separate session, so that neither Ctrl-C nor the end of our process group reaches the server before we have
 * finished with it.
 *
 * The lock (descriptor 3) belongs to the server: it is released when the last of its processes ends. The guard waits in
 * single seconds, because the `sleep` that runs when the server ends outlives it and keeps the file system in use.
 */
const GUARD = `
trap '' INT TERM HUP
signal_and_wait() {
  kill "-$1" "$server" || exit
  left=$2
  while [ "$left" -gt 0 ]; do
    sleep 1
    kill -0 "$server" || exit
    left=$((left - 1))
  done
}
exec 4<&0
"$@" 4<&- </dev/null &
server=$!
{
  cat <&4
  signal_and_wait INT ${ORDERLY_S}
  signal_and_wait QUIT ${AT_ALL_S}
  kill -KILL $server
} >/dev/null 2>&1 3<&- &
watch=$!
exec 3<&- 4<&-
wait $server
code=$?
kill -KILL $watch
exit $code
`;

/** A log of this size is replaced by a new one, bytes. */
const LOG_LIMIT = 1_000_000;
/** How much of the log's end a message quotes, bytes. */
const LOG_QUOTE = 1_500;

export interface ServerProcess {
  /** Resolves when the server has ended, with the end of its log. */
  readonly ended: Promise<string>;
  readonly hasEnded: () => boolean;
  /** Fast shutdown: ends sessions, keeps everything committed. Escalates by itself. */
  stop(): Promise<void>;
}

/** @param lock is passed to the server; the caller may then close its own descriptor */
export function startServerProcess(
  { postgres }: Installation,
  cluster: string,
  logFile: string,
  settings: readonly string[],
  account: Account | undefined,
  lock: Descriptor,
): ServerProcess {
  if (existsSync(logFile) && statSync(logFile).size > LOG_LIMIT) {
    renameSync(logFile, `${logFile}.1`);
  }
  const log = openSync(logFile, 'a', 0o600);
  const logged = statSync(logFile).size;
  const child: ChildProcess = spawn(
    '/bin/sh',
    ['-c', GUARD, 'otaops-database', postgres, '-D', CLUSTER_ARGUMENT, ...settings],
    {
      ...account,
      cwd: cluster,
      env: serverEnvironment(),
      detached: true,
      stdio: ['pipe', log, log, lock],
    },
  );
  closeSync(log);
  // We closed it, or the guard has ended.
  child.stdin?.on('error', () => undefined);
  let hasEnded = false;
  const ended = new Promise<string>((resolve) => {
    const end = (failure: string) => {
      hasEnded = true;
      child.stdin?.destroy();
      resolve(failure);
    };
    child.once('error', (error) => end(error.message));
    child.once('exit', () => end(endOfLog(logFile, logged)));
  });
  return {
    ended,
    hasEnded: () => hasEnded,
    async stop() {
      child.stdin?.end();
      await ended;
    },
  };
}

/** @param from what was logged before is not quoted, bytes */
function endOfLog(file: string, from: number): string {
  try {
    const log = openSync(file, 'r');
    try {
      const start = Math.max(from, statSync(file).size - LOG_QUOTE);
      const quote = Buffer.alloc(LOG_QUOTE);
      return quote.subarray(0, readSync(log, quote, 0, LOG_QUOTE, start)).toString();
    } finally {
      closeSync(log);
    }
  } catch (error) {
    return `its log cannot be read: ${(error as Error).message}`;
  }
}
