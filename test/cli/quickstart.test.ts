/** `otaops quickstart`, which `npm start` runs, from start to end. */
import { createServer, type AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { byDepth, hasTurn } from '../support/depth.js';
import { eventually, httpClient } from '../support/adapter.js';
import { otaops } from '../support/process.js';
import { isInstalled, temporaryDirectory } from '../support/servers.js';

const run = promisify(execFile);
const VEHICLES = byDepth({ quick: 20, full: 60 });
const hasShell = await isInstalled('bash', 'apt-get install bash');
const hasCurl = await isInstalled('curl', 'apt-get install curl');

test('the seed’s trigger travels to vehicles and comes back as progress', async () => {
  const dataDir = temporaryDirectory('quickstart');
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;

  const flags = ['--data-dir', dataDir, '--http-port', String(port), '--mqtt-port', '0'];
  flags.push('--carota-port', '0');
  const process = otaops([
    'quickstart',
    ...flags,
    '--vehicles',
    String(VEHICLES),
    '--speed',
    '600',
  ]);
  // The screen is never silent for long.
  await process.says(/Starting the OTA Adapter/);
  await process.says(/Starting the CarOTA Server/);
  await process.says(new RegExp(`Port ${port} is taken; HTTP uses \\d+`));
  const [, url = ''] = await process.says(/HTTP interface\s+(http:\S+)/);
  const token = readFileSync(join(dataDir, 'token'), 'utf8').trim();
  const [, tokenFile = ''] = await process.says(/^ {2}Token +in (.+)$/m);
  expect(readFileSync(tokenFile, 'utf8').trim()).toBe(token);
  const [, carotaFile = ''] = await process.says(/^ {2}CarOTA token +in (.+)$/m);
  const secrets = [token, readFileSync(carotaFile, 'utf8').trim()];
  await process.says(/^schedule 0909: 2 vehicles, 2 finished/m);
  await process.says(
    new RegExp(`^schedule 0910: ${VEHICLES - 2} vehicles, ${VEHICLES - 2} finished`, 'm'),
  );
  // Full agents, canary first: three install the update, one rolls back.
  await process.says(/^schedule 0911: 4 vehicles, 4 finished .*: success 3, rollback_success 1$/m);
  await process.says(/Press Ctrl-C to stop/);

  const [line = ''] = await process.says(/^curl -sS \S+\/v1\.0\/ota\/trigger .*\n.*$/m);
  const http = httpClient(url, token);
  // The printed curl command works.
  if (hasShell && hasCurl) {
    const { stdout } = await run('bash', ['-c', line]);
    expect(JSON.parse(stdout)).toMatchObject({ accepted: 10, rejectedCount: 0 });
    await eventually(
      async () => (await http.call('GET', '/v1.0/ota/operations?limit=1')).body.items[0],
      (operation) => operation.finished === 10,
    );
  }
  await http.storedMessages();
  process.child.kill('SIGINT');
  expect(await process.ended).toBe(0);
  for (const secret of secrets) expect(process.output()).not.toContain(secret);

  taken.close();
  if (!hasTurn(2)) return;
  // A second run in the same folder continues from there.
  const again = otaops(['quickstart', ...flags, '--vehicles', String(VEHICLES), '--speed', '600']);
  await again.says(/'schedule 0909' exists from an earlier run/);
  await again.says(new RegExp(String.raw`^schedule 20\S+: ${VEHICLES} vehicles`, 'm'));
  again.child.kill('SIGINT');
  expect(await again.ended).toBe(0);
});
