/** Servers that do not answer, in each way. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { answers } from '../../../src/service/database/index.js';
import { freePort } from '../../support/servers.js';

const sockets: Socket[] = [];
const silent = createServer((socket) => sockets.push(socket));
const closing = createServer((socket) => socket.destroy());
for (const server of [silent, closing]) await once(server.listen(0, '127.0.0.1'), 'listening');

afterAll(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of [silent, closing]) server.close();
});

const urlOf = (port: number) => `postgres://otaops@127.0.0.1:${port}/postgres`;
const portOf = (server: typeof silent) => (server.address() as AddressInfo).port;

test('a server that accepts the connection and says nothing does not answer', async () => {
  expect(await answers(urlOf(portOf(silent)), 50)).toBe(false);
  expect(sockets).toHaveLength(1);
});

test('a server that closes the connection at once does not answer', async () => {
  expect(await answers(urlOf(portOf(closing)))).toBe(false);
});

test('a port without a server does not answer', async () => {
  expect(await answers(urlOf(await freePort()))).toBe(false);
});
