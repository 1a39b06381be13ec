/** Only the modules of the given command are loaded, and that makes no difference to what it says. */
import { expect, test } from 'vitest';
import { runCommand } from '../support/run-command.js';

/** Its name, and the first line of its description. */
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
    // Among all of them it is the same.
    expect(await runCommand(['help', name])).toEqual(alone);
  }
});

test.each([['serv'], ['constructor'], ['__proto__'], ['']])('%j is no command', async (name) => {
  const { code, output } = await runCommand([name]);
  expect(code).toBe(2);
  expect(output).toContain(`unknown command '${name}'`);
});

test('options may precede the command', async () => {
  const { code, output } = await runCommand(['--config', '/nowhere/settings.yaml', 'rate', '5']);
  expect(code).not.toBe(0);
  expect(output).toContain('/nowhere/settings.yaml');
});
