/** The output of a command reaches the next program of a pipe in full, however slowly it reads. */
import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { takingTurns } from '../support/depth.js';
import { MAIN } from '../support/process.js';

const VEHICLES = Array.from({ length: 1_000 }, (_, n) => ({
  vin: `5YJSA1E40FF${String(n).padStart(6, '0')}`,
  system_id: `c2c-sys-${n}`,
  model: 'x'.repeat(400),
}));

/** A list of 0.5 MB; a pipe buffers 64 KiB. */
let server: Server;
beforeAll(async () => {
  server = createServer((_request, response) => {
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ items: VEHICLES, nextCursor: null }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => server.close());

/** Runs `otaops <command> | <reader>` in a shell. */
function piped(command: string, reader: string) {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const script = `set -o pipefail; "${process.execPath}" "${MAIN}" ${command} | ${reader}`;
  const shell = spawn('bash', ['-c', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '', OTAOPS_URL: url, OTAOPS_TOKEN: 'x' },
  });
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    let stdout = '';
    let stderr = '';
    shell.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    shell.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    shell.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

const isTurn = takingTurns(2);
const READERS = ['cat', '{ sleep 0.5; cat; }'].filter(isTurn);

test.each(READERS)('JSON reaches %s in full', async (reader) => {
  const { code, stdout } = await piped('vehicles list --limit 1000 --json', reader);
  expect(JSON.parse(stdout)).toEqual(VEHICLES);
  expect(code).toBe(0);
});

test.runIf(isTurn())('a table reaches a slow reader in full', async () => {
  const { stdout } = await piped('vehicles list --limit 1000', '{ sleep 0.5; cat; }');
  expect(stdout.trim().split('\n')).toHaveLength(1 + VEHICLES.length);
});

test.runIf(isTurn())(
  'a reader that closes the pipe ends the command silently, like any other program',
  async () => {
    const { code, stdout, stderr } = await piped('vehicles list --limit 1000 --json', 'head -n 1');
    expect(stdout).toBe('[\n');
    expect(stderr).toBe('');
    expect(code).toBe(141);
  },
);
