/** Call-backs cannot reach services that only the adapter can reach. */
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type lookup } from 'node:dns';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { addressGuard, BadNetwork, createPoster } from '../../../src/service/outgoing/index.js';

const mayCall = addressGuard([]);

test.each([
  '127.0.0.1',
  '127.8.9.10',
  '0.0.0.0',
  '10.0.0.1',
  '100.64.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '[::1]',
  'fe80::1',
  'fe80::1%eth0',
  'fc00::1',
  'fd12:3456::1',
  'ff02::1',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '::ffff:a00:1',
  '0:0:0:0:0:ffff:7f00:1',
  '64:ff9b::10.0.0.1',
  '64:ff9b::a00:1',
  '2002:7f00:1::',
  'not an address',
])('%s may not be called', (address) => {
  expect(mayCall(address)).toBe(false);
});

test.each([
  '8.8.8.8',
  '172.15.0.1',
  '172.32.0.1',
  '192.167.0.1',
  '2606:4700::1111',
  '::ffff:8.8.8.8',
])('%s may be called', (address) => {
  expect(mayCall(address)).toBe(true);
});

test('a setting allows a network, and only that one', () => {
  const guard = addressGuard(['10.1.0.0/16', 'fd00::/8']);
  expect(guard('10.1.2.3')).toBe(true);
  expect(guard('::ffff:10.1.2.3')).toBe(true);
  expect(guard('10.2.0.1')).toBe(false);
  expect(guard('fd12::1')).toBe(true);
  expect(guard('fc12::1')).toBe(false);
});

test.each(['10.1.0.0', '10.1.0.0/33', 'fd00::/129', 'internal/8', ''])(
  'network %j is refused',
  (network) => {
    expect(() => addressGuard([network])).toThrow(BadNetwork);
  },
);

let inside: Server;
let port: number;
let reached = 0;
let location: string | undefined;
beforeAll(async () => {
  inside = createServer((_request, response) => {
    reached += 1;
    response.writeHead(location === undefined ? 204 : 307, location ? { location } : {}).end();
  });
  await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
  ({ port } = inside.address() as AddressInfo);
});
afterAll(() => new Promise((resolve) => inside.close(resolve)));
afterEach(() => {
  reached = 0;
  location = undefined;
});

const post = (guard: typeof mayCall, url: string, resolve?: typeof lookup) => {
  const poster = createPoster(guard, { timeoutMs: 2_000, ...(resolve ? { resolve } : {}) });
  return poster.post(url, {}, '{}').finally(() => poster.close());
};

test.each([
  ['an address', () => `http://127.0.0.1:${port}/`],
  ['a number that is one', () => `http://2130706433:${port}/`],
  ['octal numbers', () => `http://0177.0.0.1:${port}/`],
  ['IPv6', () => `http://[::ffff:127.0.0.1]:${port}/`],
  ['a name', () => `http://localhost:${port}/`],
])('loopback given as %s gets no connection', async (_what, url) => {
  await expect(post(mayCall, url())).rejects.toThrow(/call-backs to this address are forbidden/);
  expect(reached).toBe(0);
});

test('a name that was allowed and now resolves to an internal address gets no connection', async () => {
  let inward = false;
  const resolve = ((_name: string, _options: object, done: LookupDone) =>
    done(null, [{ address: inward ? '127.0.0.1' : '127.0.0.2', family: 4 }])) as typeof lookup;
  // 127.0.0.2 stands for an allowed address: it answers on this machine.
  const guard = (address: string) => address === '127.0.0.2';
  const outside = createServer((_request, response) => response.writeHead(204).end());
  await new Promise<void>((resolve) => outside.listen(port, '127.0.0.2', resolve));
  const url = `http://receiver.example:${port}/`;
  await post(guard, url, resolve);
  inward = true;
  await expect(post(guard, url, resolve)).rejects.toThrow(/receiver\.example is 127\.0\.0\.1/);
  expect(reached).toBe(0);
  await new Promise((resolve) => outside.close(resolve));
});

type LookupDone = (error: null, addresses: { address: string; family: number }[]) => void;

test('a redirect is not followed', async () => {
  location = `http://127.0.0.1:${port}/elsewhere`;
  const guard = addressGuard(['127.0.0.0/8']);
  await expect(post(guard, `http://127.0.0.1:${port}/`)).rejects.toThrow(
    /answered 307 \(redirects are not followed\)/,
  );
  expect(reached).toBe(1);
});
