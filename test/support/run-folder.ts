/**
 * One folder for all temporary files of a run, removed at its end; `KEEP_TEST_FILES=1` keeps it. All processes of the
 * run use it as the system's temporary folder.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isFullDepth } from './depth.js';
import { inMemory } from './memory.js';

/** Short, because socket paths are limited to 107 bytes. */
const PREFIX = 'otaops-run-';

export default function setup(): (() => void) | undefined {
  // Another project of this run has created the folder.
  if (basename(tmpdir()).startsWith(PREFIX)) return undefined;
  const before = process.env.TMPDIR;
  // For programs that are installed once for all runs.
  process.env.SYSTEM_TMPDIR = tmpdir();
  const folder = newFolder();
  process.env.TMPDIR = folder;
  const remove = () => {
    if (process.env.KEEP_TEST_FILES === '1') return void process.stdout.write(`Kept: ${folder}\n`);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  // Even after an interruption: the folder may be in memory.
  process.once('exit', remove);
  return () => {
    process.off('exit', remove);
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    remove();
  };
}

/**
 * In memory, where writing a file takes a tenth of the processor time. At full depth on disk: there are many files, and
 * the tests should show what holds on a real file system.
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
  // For other accounts too, like the system's folder: servers drop root's privileges.
  chmodSync(folder, 0o1777);
  return folder;
}

/** Containers may forbid it for files in memory. */
function runsPrograms(folder: string): boolean {
  const program = join(folder, 'program');
  writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
  const { status } = spawnSync(program);
  rmSync(program);
  return status === 0;
}
