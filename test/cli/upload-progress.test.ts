/** An import of a long file shows its progress on standard error. */
import { once } from 'node:events';
import { createWriteStream, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { uploadOf } from '../../src/cli/upload-progress.js';
import { runCommand } from '../support/run-command.js';
import { temporaryDirectory } from '../support/servers.js';

const folder = temporaryDirectory('upload-progress');
const MB = 1_000_000;

/** Reads a file of 10 MB to its end; each look at the clock is `tick` ms after the last. */
async function outputOf(isTTY: boolean, tick: number) {
  const file = join(folder, 'ten');
  writeFileSync(file, Buffer.alloc(10 * MB));
  const written: string[] = [];
  const out = { isTTY, write: (text: string) => written.push(text) };
  let now = 0;
  const clock = () => (now += tick);
  const upload = await uploadOf(file, out as unknown as NodeJS.WriteStream, clock);
  let bytes = 0;
  for await (const chunk of upload.body) bytes += chunk.length;
  expect(bytes).toBe(10 * MB);
  upload.done();
  return written;
}

test('a terminal shows one line, rewritten five times a second and cleared at the end', async () => {
  const written = await outputOf(true, 50);
  expect(written.length).toBeGreaterThan(10);
  expect(written.at(-1)).toBe('\r\u001B[K');
  const shares = written.slice(0, -1).map((text) => {
    expect(text).toMatch(/^\r\d+ % of 10\.0 MB sent\u001B\[K$/);
    return Number(/\d+/.exec(text)?.[0]);
  });
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  expect(shares.at(-1)).toBeGreaterThan(90);
});

test('a log gets a line every five seconds, and no control characters', async () => {
  expect(await outputOf(false, 10)).toEqual([]);
  const written = await outputOf(false, 1_000);
  expect(written.length).toBeGreaterThan(10);
  for (const text of written) expect(text).toMatch(/^\d+ % of 10\.0 MB sent\n$/);
});

/** A server that reads nothing for longer than the update interval of a terminal, and then everything. */
async function slowServer(): Promise<string> {
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    await sleep(400);
    request.resume();
    await once(request, 'end');
    response.setHeader('content-type', 'application/json');
    response.end('{"created":1,"updated":0,"rejectedCount":0,"rejected":[]}');
  };
  const server = createServer((request, response) => void answer(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('`vehicles import` shows the progress', async () => {
  // More than the sockets between the two can buffer.
  const file = join(folder, 'many.csv');
  const out = createWriteStream(file);
  out.write('vin,system_id\n');
  for (let n = 0; n < 64; n++) out.write(Buffer.alloc(MB / 2, 'x'));
  await once(out.end(), 'finish');
  const { isTTY } = process.stderr;
  process.stderr.isTTY = true;
  onTestFinished(() => {
    process.stderr.isTTY = isTTY;
  });
  const environment = { OTAOPS_URL: await slowServer(), OTAOPS_TOKEN: 'any' };
  const { code, output } = await runCommand(['vehicles', 'import', file], environment);
  expect(output).toContain('1 created, 0 updated, 0 rejected');
  expect(output).toMatch(/\r\d+ % of 32\.0 MB sent/);
  expect(code).toBe(0);
});
