/** Runs a command that the vehicle's maker has given. */
import { spawn } from 'node:child_process';

/** More output than this is not kept, characters. */
const MAX_OUTPUT = 64 * 1024;

/**
 * By the shell, with what it is about in the environment.
 *
 * @returns what it has written to the standard output
 * @throws Error with the last line of its standard error, where it does not end with 0
 */
export async function runCommand(
  command: string,
  environment: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<string> {
  signal?.throwIfAborted();
  // A group of its own, so that what the shell has started ends with it.
  const child = spawn('/bin/sh', ['-c', command], {
    env: { ...process.env, ...environment },
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
    // It has ended by itself.
  }
}

function reasonOf(stderr: string, ended: number | string): string {
  const last = stderr.trimEnd().split('\n').at(-1) ?? '';
  return last === '' ? `the command ended with ${ended}` : last;
}
