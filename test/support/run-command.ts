/** Runs an `otaops` command in this process, for tests that need no child process. */
import { run } from '../../src/cli/program.js';

export interface CommandResult {
  /** Exit code. */
  readonly code: number;
  readonly stdout: string;
  /** Standard output and standard error, as a terminal shows them. */
  readonly output: string;
}

/**
 * Runs the command to completion, one at a time.
 *
 * @param environment replaces all `OTAOPS_…` variables
 */
export async function runCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  let stdout = '';
  let output = '';
  const restore = [
    capture(process.stdout, (text) => {
      stdout += text;
      output += text;
    }),
    capture(process.stderr, (text) => (output += text)),
    setVariables(environment),
    keepListeners('SIGINT'),
    keepListeners('SIGTERM'),
  ];
  try {
    const code = await run(args);
    return { code, stdout, output };
  } finally {
    for (const undo of restore) undo();
  }
}

function capture(stream: NodeJS.WriteStream, take: (text: string) => void): () => void {
  const write = stream.write.bind(stream);
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
    take(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
    const done = rest.find((argument): argument is () => void => typeof argument === 'function');
    if (done) process.nextTick(done);
    return true;
  };
  return () => {
    stream.write = write;
  };
}

/** Removes the listeners of a finished command, as the exit of a process would. */
function keepListeners(signal: NodeJS.Signals): () => void {
  const before = process.listeners(signal);
  return () => {
    for (const listener of process.listeners(signal)) {
      if (!before.includes(listener)) process.removeListener(signal, listener);
    }
  };
}

function setVariables(environment: Readonly<Record<string, string>>): () => void {
  const before = process.env;
  const others = Object.entries(before).filter(([name]) => !name.startsWith('OTAOPS_'));
  process.env = { ...Object.fromEntries(others), ...environment };
  return () => {
    process.env = before;
  };
}
