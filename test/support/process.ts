/** The built command `otaops` as a child process. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { hasListenerLeak, passOnListenerLeak } from './listener-leak.js';

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface OtaopsProcess {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** Resolves with the match once the output contains it; rejects if the process exits first. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
}

/** The initial admin token, from the file that the starting server names. */
export async function firstToken(server: OtaopsProcess): Promise<string> {
  const [, file = ''] = await server.says(/Initial admin token: in (\S+),/);
  return readFileSync(file, 'utf8').trim();
}

export function otaops(
  args: string[],
  environment: Record<string, string> = {},
  cwd?: string,
): OtaopsProcess {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '', ...environment },
    ...(cwd === undefined ? {} : { cwd }),
  });
  let output = '';
  let hasLeaked = false;
  const listeners = new Set<() => void>();
  const take = (chunk: Buffer) => {
    output += chunk.toString();
    if (!hasLeaked && hasListenerLeak(output)) {
      hasLeaked = true;
      passOnListenerLeak(`otaops ${args.join(' ')}`, output);
    }
    for (const listener of listeners) listener();
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const ended = new Promise<number | string>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  return {
    child,
    output: () => output,
    ended,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(output);
          if (!match) return;
          listeners.delete(look);
          resolve(match);
        };
        listeners.add(look);
        void ended.then((code) => {
          look();
          reject(new Error(`ended with ${code} and never said ${String(pattern)}:\n${output}`));
        });
        look();
      }),
  };
}
