/**
 * One folder for all temporary files of a run, which is removed at its end; `KEEP_TEST_FILES=1` keeps it. It is the
 * system's folder for temporary files to all processes of the run.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** Short, as paths of sockets in it are limited to 107 bytes. */
const PREFIX = 'otaops-run-';

export default function setup(): (() => void) | undefined {
  // Another project of this run has made it.
  if (basename(tmpdir()).startsWith(PREFIX)) return undefined;
  const before = process.env.TMPDIR;
  // What is installed once for all runs is there.
  process.env.SYSTEM_TMPDIR = tmpdir();
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  // For other accounts too, as the system's one is: servers give up the rights of root.
  chmodSync(folder, 0o1777);
  process.env.TMPDIR = folder;
  return () => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    if (process.env.KEEP_TEST_FILES === '1') return void process.stdout.write(`Kept: ${folder}\n`);
    rmSync(folder, { recursive: true, force: true });
  };
}
