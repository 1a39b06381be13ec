/** Repositories created by python-tuf and securesystemslib, cycle by cycle, through the command line. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runCommand } from '../../support/run-command.js';
import { ifInstalled, temporaryDirectory } from '../../support/servers.js';
import { tufPython } from './python.js';

const python = await ifInstalled(tufPython);
const scenarios = temporaryDirectory('uptane');
if (python) {
  const script = fileURLToPath(new URL('make_repositories.py', import.meta.url));
  execFileSync(python, [script, scenarios], { stdio: 'inherit' });
}

describe.runIf(python)('a repository made by python-tuf', () => {
  test.each(readdirSync(scenarios))('%s', async (name) => {
    const folder = join(scenarios, name);
    const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as string[];
    const state = join(folder, 'state');
    const client = async (...args: string[]) => {
      const { stdout } = await runCommand(['uptane-client', '--state', state, ...args]);
      const outcome = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
      return outcome.code ?? outcome.result;
    };
    const root = (of: string) => [`--${of}-root`, join(folder, `${of}-root.json`)];
    const vehicle = join(folder, 'vehicle.json');
    await client('init', '--vehicle', vehicle, ...root('director'), ...root('image'));
    const outcomes: string[] = [];
    for (const cycle of expected.keys()) {
      const site = await serve(join(folder, String(cycle + 1)));
      outcomes.push(
        await client(
          ...['update', '--director-url', `${site.url}/director`],
          ...['--image-url', `${site.url}/image`, '--images-dir', join(folder, 'images')],
        ),
      );
      await site.close();
    }
    expect(outcomes).toEqual(expected);
  });
});

/** File names as in the folder: encoded names stay encoded. */
async function serve(folder: string) {
  const server = createServer((request, response) => {
    const file = join(folder, request.url ?? '');
    if (existsSync(file)) response.end(readFileSync(file));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
