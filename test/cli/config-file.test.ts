/** Settings from a file: below flags and variables, above the defaults; errors name the line. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hasTurn } from '../support/depth.js';
import { otaops } from '../support/process.js';
import { runCommand } from '../support/run-command.js';
import { temporaryDirectory } from '../support/servers.js';

const folder = temporaryDirectory('config');
const config = (text: string) => {
  const path = join(folder, `${Math.random()}.yaml`);
  writeFileSync(path, text);
  return path;
};
const end = (args: string[], environment: Record<string, string> = {}) =>
  runCommand(args, environment);

test('a flag overrides a variable, a variable the file, the file the default', async () => {
  const path = config('url: http://127.0.0.1:1\ntoken: t\n');
  const list = ['operations', 'list'];
  const file = ['--config', path];
  expect((await end([...file, ...list])).output).toMatch('127.0.0.1:1 ');
  expect((await end(list, { OTAOPS_CONFIG: path })).output).toMatch('127.0.0.1:1 ');
  const variable = { OTAOPS_URL: 'http://127.0.0.1:2' };
  expect((await end([...list, ...file], variable)).output).toMatch('127.0.0.1:2 ');
  const flag = ['--url', 'http://127.0.0.1:3'];
  expect((await end([...list, ...file, ...flag], variable)).output).toMatch('127.0.0.1:3 ');
});

test('serve can run on a file alone', async ({ skip }) => {
  skip(!hasTurn(1));
  const path = config(
    [
      '# a comment',
      'http-port: 0',
      'mqtt-port: 0',
      `data-dir: ${join(folder, 'data')}`,
      'callback-allow: [10.1.0.0/16, fd00::/8]',
      'ack-required: false',
      'trigger-ttl: -1',
    ].join('\n'),
  );
  const serve = otaops(['serve', '--config', path], {}, folder);
  await serve.says(/HTTP interface/);
  serve.child.kill('SIGTERM');
  expect(await serve.ended).toBe(0);
});

test.each([
  ['an unknown setting', 'url: http://x\nhttp-prt: 1\n', /:2: unknown setting http-prt/],
  ['a bad value', 'http-port: 99999\n', /:1: http-port must be a port from 0 to 65535/],
  ['a bad choice', '\nlog-level: loud\n', /:2: log-level must be one of trace, debug/],
  [
    'an object',
    'data-dir:\n  a: 1\n',
    /:1: data-dir must be a string, a number or a list of these/,
  ],
  ['no settings', '- a\n', /must have a setting on each line/],
  ['no YAML', 'a: [\n', /\.yaml: .*line 2/s],
  [
    'an invalid network',
    'callback-allow: internal\nhttp-port: 0\nmqtt-port: 0\n',
    /'internal' is not a network/,
  ],
])('%s stops the start', async (_name, text, message) => {
  const { code, output } = await end(['serve', '--config', config(text)]);
  expect(output).toMatch(message);
  expect(code).toBe(2);
});

test('a missing file stops the start', async () => {
  const { code, output } = await end(['serve', '--config', join(folder, 'nowhere.yaml')]);
  expect(output).toMatch(/nowhere\.yaml cannot be read/);
  expect(code).toBe(2);
});
