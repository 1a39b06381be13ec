/** Asks for confirmation of irreversible actions. */
import { createInterface } from 'node:readline/promises';
import { UsageError } from './usage-error.js';

/** @throws UsageError without a terminal */
export async function confirm(question: string, isYes: boolean | undefined): Promise<boolean> {
  if (isYes) return true;
  if (!process.stdin.isTTY) throw new UsageError('there is no terminal to confirm on; use --yes');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^\s*y(es)?\s*$/i.test(await terminal.question(`${question} (yes/no) `));
  } finally {
    terminal.close();
  }
}
