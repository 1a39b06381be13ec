/** An authority's command: how many run at a time, and that none outlives its timeout. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AuthorityUnavailable, CommandAuthority } from '../../src/carota/enrolment/index.js';
import { temporaryDirectory } from '../support/servers.js';

const folder = temporaryDirectory('command-authority');
const request = { systemId: 'c2c-sys-1', publicKeyInfo: Buffer.of(), request: Buffer.of(48, 0) };

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test('processes started by the shell end with it, and the caller does not wait for them', async () => {
  const started = join(folder, 'child');
  // The background process would hold the output open for an hour.
  const authority = new CommandAuthority(`sleep 3600 & echo $! > ${started}; wait`, [], 1_000);
  await expect(authority.issue(request)).rejects.toThrow(/took more than 1 s/);
  const pid = Number(readFileSync(started, 'utf8'));
  expect(pid).toBeGreaterThan(1);
  await expect.poll(() => isAlive(pid), { timeout: 30_000 }).toBe(false);
});

test('a command that prints endlessly is stopped', async () => {
  const authority = new CommandAuthority('yes', []);
  await expect(authority.issue(request)).rejects.toThrow(/printed too much/);
});

test('four commands run at a time, a hundred wait, and further requests are refused at once', async () => {
  const [log, go] = ['log', 'go'].map((name) => join(folder, name)) as [string, string];
  appendFileSync(log, '');
  const wait = `echo started >> ${log}; while [ ! -e ${go} ]; do sleep 0.1; done; exit 3`;
  const authority = new CommandAuthority(wait, []);
  const issuing = Array.from({ length: 104 }, () =>
    authority.issue(request).catch((error: unknown) => error),
  );
  await expect(authority.issue(request)).rejects.toThrow(/too many vehicles wait/);
  const running = () => readFileSync(log, 'utf8').split('\n').length - 1;
  await expect.poll(running, { timeout: 30_000 }).toBe(4);
  writeFileSync(go, '');
  const errors = await Promise.all(issuing);
  expect(running()).toBe(104);
  for (const error of errors) {
    expect(error).toBeInstanceOf(AuthorityUnavailable);
    expect((error as Error).message).toContain('ended with 3');
  }
});
