/** Only the modules of the given command are loaded, which does not change what it prints. */
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { hasTurn } from '../support/depth.js';
import { runCommand } from '../support/run-command.js';
import { temporaryDirectory } from '../support/servers.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** The name of each command, and the first line of its description. */
const commandsOf = (help: string) =>
  Array.from(
    help.matchAll(/^ {2}([a-z][a-z-]+)\b.*? {2,}(\S.*)$/gm),
    ([, name = '', text = '']) => ({
      name,
      text,
    }),
  ).filter(({ name }) => name !== 'help');

test('the help lists all commands; each is found by its name alone', async () => {
  const { code, stdout } = await runCommand(['--help']);
  expect(code).toBe(0);
  const commands = commandsOf(stdout);
  expect(commands.map(({ name }) => name)).toContain('completion');
  expect(commands.length).toBeGreaterThan(20);
  for (const { name } of commands) {
    const alone = await runCommand([name, '--help']);
    expect([name, alone.code]).toEqual([name, 0]);
    expect(alone.stdout).toMatch(new RegExp(`^Usage: otaops ${name}\\b`));
    // `help` loads all commands, and prints the same.
    expect(await runCommand(['help', name])).toEqual(alone);
  }
});

test.each([['serv'], ['constructor'], ['__proto__'], ['']])('%j is refused', async (name) => {
  const { code, output } = await runCommand([name]);
  expect(code).toBe(2);
  expect(output).toContain(`unknown command '${name}'`);
});

test('options may precede the command', async () => {
  const { code, output } = await runCommand(['--config', '/nowhere/settings.yaml', 'rate', '5']);
  expect(code).not.toBe(0);
  expect(output).toContain('/nowhere/settings.yaml');
});

test('a command ignores the settings of other commands, and refuses those of no command', ({
  skip,
}) => {
  skip(!hasTurn(0));
  const directory = temporaryDirectory('program');
  // In a separate process: in this one, other commands are loaded already.
  const run = (env: NodeJS.ProcessEnv, ...args: string[]) =>
    spawnSync(process.execPath, [MAIN, ...args], {
      env: { ...process.env, ...env },
      encoding: 'utf8',
    });
  const config = join(directory, 'otaops.yaml');
  try {
    const args = ['keys', 'list', join(directory, 'missing.pub')];
    const alone = run({}, ...args);
    expect(run({ OTAOPS_MQTT_PORT: '1', OTAOPS_HOST: '0.0.0.0' }, ...args)).toMatchObject({
      status: alone.status,
      stderr: alone.stderr,
    });
    writeFileSync(config, 'mqtt-port: 1884\ncarota-port: 8081\n');
    expect(run({ OTAOPS_CONFIG: config }, ...args).stderr).toBe(alone.stderr);
    expect(run({ OTAOPS_NO_SUCH: '1' }, ...args)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('unknown setting OTAOPS_NO_SUCH'),
    });
    writeFileSync(config, 'mqtt-port: 1884\nno-such: 1\n');
    expect(run({ OTAOPS_CONFIG: config }, ...args)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('otaops.yaml:2: unknown setting no-such'),
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
