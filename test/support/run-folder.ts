/**
 * One folder for all temporary files of a run, which is removed at its end; `KEEP_TEST_FILES=1` keeps it. It is the
 * system's folder for temporary files to all processes of the run.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isFullDepth } from './depth.js';
import { inMemory } from './memory.js';

/** Short, as paths of sockets in it are limited to 107 bytes. */
const PREFIX = 'otaops-run-';

export default function setup(): (() => void) | undefined {
  // Another project of this run has made it.
  if (basename(tmpdir()).startsWith(PREFIX)) return undefined;
  const before = process.env.TMPDIR;
  // What is installed once for all runs is there.
  process.env.SYSTEM_TMPDIR = tmpdir();
  const folder = newFolder();
  process.env.TMPDIR = folder;
  const remove = () => {
    if (process.env.KEEP_TEST_FILES === '1') return void process.stdout.write(`Kept: ${folder}\n`);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  // Also after an interruption: the folder may be in memory.
  process.once('exit', remove);
  return () => {
    process.off('exit', remove);
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    remove();
  };
}

/**
 * In memory, where a file is written in a tenth of the processor time. At full depth on disk: its files are many, and what
 * holds there must hold on a real file system.
 */
function newFolder(): string {
  const memory = isFullDepth || process.env.TMPDIR !== undefined ? undefined : inMemory();
  if (memory !== undefined) {
    const folder = madeIn(memory);
    if (runsPrograms(folder)) return folder;
    rmSync(folder, { recursive: true });
  }
  return madeIn(tmpdir());
}

function madeIn(place: string): string {
  const folder = mkdtempSync(join(place, PREFIX));
  // For other accounts too, as the system's one is: servers give up the rights of root.
  chmodSync(folder, 0o1777);
  return folder;
}

/** Containers may forbid it for what is in memory. */
function runsPrograms(folder: string): boolean {
  const program = join(folder, 'program');
  writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
  const { status } = spawnSync(program);
  rmSync(program);
  return status === 0;
}
