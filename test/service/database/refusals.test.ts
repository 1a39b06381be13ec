/** A server that refuses connections is spared. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { openPostgres } from '../../../src/service/database/index.js';

/** ErrorResponse of the PostgreSQL protocol. */
function errorResponse(code: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0\0`);
  const length = Buffer.alloc(4);
  length.writeInt32BE(fields.length + 4);
  return Buffer.concat([Buffer.from('E'), length, fields]);
}

test('while a server recovers, all lanes together attempt a connection every 50 ms, however many statements fail', async () => {
  let attempts = 0;
  const server = createServer((socket) => {
    attempts += 1;
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(errorResponse('57P03', 'it is in recovery mode')));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const database = openPostgres({ url: `postgres://otaops@127.0.0.1:${port}/postgres` });

  const startedAt = performance.now();
  for (let statement = 0; statement < 300; statement++) {
    const lane = [database, database.requests, database.reading][statement % 3];
    await expect(lane?.query('select 1')).rejects.toThrow('it is in recovery mode');
  }
  const elapsedMs = performance.now() - startedAt;

  expect(attempts).toBeGreaterThan(0);
  expect(attempts).toBeLessThanOrEqual(1 + elapsedMs / 50);
  await database.close();
  server.close();
});
