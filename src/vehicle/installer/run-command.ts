/** Runs a command supplied by the vehicle manufacturer. */
import { spawn } from 'node:child_process';

/**
 * Variables that a command inherits from the agent's environment. No others: the agent's settings contain credentials,
 * and an installer must not be able to impersonate the vehicle.
 */
const PASSED_ON = /^(PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TZ|LANG|LC_[A-Z]+)$/;

const passedOn = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED_ON.test(name)));

/** Maximum output kept, characters. */
const MAX_OUTPUT = 64 * 1024;

/**
 * Runs the command in a shell, with its arguments as environment variables.
 *
 * @returns its standard output
 * @throws Error with the last line of its standard error if it does not exit with 0
 */
export async function runCommand(
  command: string,
  environment: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<string> {
  signal?.throwIfAborted();
  // In its own process group, so that the shell's children are killed with it.
  const child = spawn('/bin/sh', ['-c', command], {
    env: { ...passedOn(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout = kept(output.stdout, chunk)));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr = kept(output.stderr, chunk)));
  const kill = () => killGroup(child.pid);
  signal?.addEventListener('abort', kill, { once: true });
  try {
    const ended = await new Promise<number | string>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, name) => resolve(code ?? name ?? 'unknown'));
    });
    signal?.throwIfAborted();
    if (ended !== 0) throw new Error(reasonOf(output.stderr, ended));
    return output.stdout;
  } finally {
    signal?.removeEventListener('abort', kill);
  }
}

const kept = (text: string, chunk: Buffer) => (text + chunk.toString()).slice(-MAX_OUTPUT);

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has already exited.
  }
}

function reasonOf(stderr: string, ended: number | string): string {
  const last = stderr.trimEnd().split('\n').at(-1) ?? '';
  return last === '' ? `the command ended with ${ended}` : last;
}
