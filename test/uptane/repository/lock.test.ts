/** One writer at a time; a dead writer does not block others. */
import { execFileSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { exclusively } from '../../../src/uptane/repository/lock.js';
import { temporaryDirectory } from '../../support/servers.js';

const newPath = () => join(temporaryDirectory('lock'), 'lock');
const done = async () => 'done';

test('while one process holds the lock, others wait or are refused', async () => {
  const path = newPath();
  const gate = new EventEmitter();
  const first = exclusively(path, () => once(gate, 'open'));
  await expect(exclusively(path, done)).rejects.toThrow(
    `another process works on the repository: ${process.pid} on ${hostname()}`,
  );
  const waiting = exclusively(path, done, 30);
  gate.emit('open');
  await first;
  expect(await waiting).toBe('done');
  expect(existsSync(path)).toBe(false);
});

test('a dead process holds no lock, even if its pid is now ours', async () => {
  const path = newPath();
  const dead = execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).trim();
  for (const pid of [dead, String(process.pid)]) {
    writeFileSync(path, `${pid} ${hostname()}\n`);
    expect(await exclusively(path, done)).toBe('done');
    expect(readdirSync(dirname(path))).toEqual([]);
  }
});

test('a lock without a holder, whose content a disk has lost, holds nothing', async () => {
  const path = newPath();
  for (const content of ['', '\0'.repeat(12), ' \n']) {
    writeFileSync(path, content);
    expect(await exclusively(path, done)).toBe('done');
    expect(readdirSync(dirname(path))).toEqual([]);
  }
});

test('a running process holds its lock, and so does one on another machine', async () => {
  const path = newPath();
  for (const holder of [`1 another-${hostname()}`, `${process.ppid} ${hostname()}`]) {
    writeFileSync(path, `${holder}\n`);
    await expect(exclusively(path, done)).rejects.toThrow(`remove ${path}`);
  }
});

test('a failed operation releases the lock', async () => {
  const path = newPath();
  await expect(exclusively(path, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await exclusively(path, done)).toBe('done');
});

const minutesAgo = (path: string, minutes: number) => {
  const at = new Date(Date.now() - minutes * 60_000);
  utimesSync(path, at, at);
};

test('the lock of a holder whose machine restarted under another name expires after a minute', async () => {
  const path = newPath();
  writeFileSync(path, `1 before-${hostname()}\n`);
  await expect(exclusively(path, done)).rejects.toThrow(`remove ${path}`);
  minutesAgo(path, 2);
  expect(await exclusively(path, done)).toBe('done');
  expect(readdirSync(dirname(path))).toEqual([]);
});

test('a long-running holder keeps renewing its lock', async () => {
  const path = newPath();
  const gate = new EventEmitter();
  const first = exclusively(path, () => once(gate, 'open'));
  minutesAgo(path, 2);
  await expect.poll(() => Date.now() - statSync(path).mtimeMs).toBeLessThan(60_000);
  gate.emit('open');
  await first;
  expect(existsSync(path)).toBe(false);
});

test('a holder that lost its lock does not remove the next holder’s lock', async () => {
  const path = newPath();
  const other = `1 another-${hostname()}\n`;
  await exclusively(path, async () => {
    rmSync(path);
    writeFileSync(path, other);
  });
  expect(readFileSync(path, 'utf8')).toBe(other);
});
