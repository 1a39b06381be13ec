/** `otaops completion`, in the shell that reads it. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCommand } from '../support/run-command.js';
import { temporaryDirectory } from '../support/servers.js';

test('bash completes commands, subcommands and flags', async () => {
  const script = join(temporaryDirectory('completion'), 'otaops.bash');
  writeFileSync(script, (await runCommand(['completion', '--shell', 'bash'])).output);
  const complete = (...words: string[]) =>
    execFileSync('bash', [
      '-c',
      `source ${script}; COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _otaops; echo "\${COMPREPLY[*]}"`,
      'bash',
      'otaops',
      ...words,
    ])
      .toString()
      .trim()
      .split(' ');
  expect(complete('oper')).toEqual(['operations']);
  expect(complete('operations', 're')).toEqual(['resume', 'retrigger']);
  expect(complete('operations', 'retrigger', '--st')).toEqual(['--state']);
  expect(complete('events', '--fol')).toEqual(['--follow']);
  for (const shell of ['zsh', 'fish']) {
    expect((await runCommand(['completion', '--shell', shell])).output).toMatch(/otaops/);
  }
});
