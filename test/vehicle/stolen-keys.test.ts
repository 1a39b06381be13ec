/** From docs/trust.md: what an eavesdropper learns about an update, and what a thief can do with the time key. */
import { createPrivateKey } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { softwareOf } from './support/software.js';
import { describeVehicle, NOW, startUptaneVehicle, UptaneWorld } from './support/uptane-world.js';

const FIRST = { HU: { version: '1.1.0', content: softwareOf(20_000), counter: 5 } };
const SECOND = { HU: { version: '1.2.0', content: softwareOf(20_000), counter: 6 } };
const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

let world: UptaneWorld;
beforeEach(async () => {
  world = await new UptaneWorld().start();
});
afterEach(() => world.close());

/** Records all traffic in both directions. */
async function eavesdropper(port: number) {
  const heard: Buffer[] = [];
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    near.on('data', (bytes: Buffer) => heard.push(bytes));
    far.on('data', (bytes: Buffer) => heard.push(bytes));
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard: () => Buffer.concat(heard),
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** Private keys in a folder tree, in every form in which they could be sent. */
function secretsIn(folder: string): { file: string; forms: Buffer[] }[] {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.pem'))
    .map((file) => {
      const pem = readFileSync(join(folder, file), 'utf8');
      const { d = '' } = createPrivateKey(pem).export({ format: 'jwk' });
      const seed = Buffer.from(d, 'base64url');
      const body = pem.split('\n').slice(1, -2).join('');
      const texts = [body, d, seed.toString('hex'), seed.toString('base64')];
      return { file, forms: [seed, ...texts.map((text) => Buffer.from(text))] };
    });
}

test('an eavesdropper without TLS reads software, metadata and the token, but no key', async () => {
  const ear = await eavesdropper(Number(new URL(world.url).port));
  world.update('hu only 001', FIRST);
  const v = startUptaneVehicle(world, {
    description: describeVehicle(['HU', 'TCU']),
    carotaUrl: ear.url,
    directorUrl: `${ear.url}/director`,
    imageUrl: `${ear.url}/image/`,
  });
  await v.update('hu only 001');
  expect(v.newStatuses().at(-1)).toBe('success');
  const heard = ear.heard();
  // The eavesdropper has read everything: only TLS encrypts it.
  expect(heard.includes(FIRST.HU.content.subarray(0, 1_000))).toBe(true);
  expect(heard.includes('"ecu-report"')).toBe(true);
  expect(heard.includes('secret-token')).toBe(true);
  const secrets = secretsIn(v.directory);
  expect(secrets.length).toBeGreaterThanOrEqual(3);
  for (const { file, forms } of secrets) {
    for (const form of forms) expect(heard.includes(form), file).toBe(false);
  }
  await v.stop();
  await ear.close();
});

test('a thief of the time key can stop updates with a far future, but cannot revive metadata expired before the floor', async () => {
  world.update('hu only 001', FIRST);
  let v = startUptaneVehicle(world);
  world.now = new Date(NOW.getTime() + YEAR_MS);
  await v.update('hu only 001');
  expect(v.newStatuses().at(-1)).toBe('success');
  // A past time, at which expired metadata would be valid, but the floor is later.
  world.update('hu only 002', SECOND);
  world.director.roles.timestamp.expires = '2027-06-01T00:00:00Z';
  world.director.release('timestamp');
  world.timeAnswer = (nonces) => world.signedTime(nonces, NOW);
  await v.update('hu only 002');
  expect(v.platform.meta('attack')).toBe('freeze');
  // A time far in the future, at which everything has expired.
  world.timeAnswer = (nonces) => world.signedTime(nonces, new Date('2100-01-01T00:00:00Z'));
  world.director.roles.timestamp.expires = '2099-01-01T00:00:00Z';
  world.director.release('timestamp');
  await v.update('hu only 002');
  expect(v.newStatuses().at(-1)).toBe('pki_check_fail');
  expect(v.platform.meta('attack')).toBe('freeze');
  // This lasts when the thief is gone: a floor never goes back. Only new provisioning helps.
  world.timeAnswer = undefined;
  await v.update('hu only 002');
  expect(v.newStatuses().at(-1)).toBe('pki_check_fail');
  await v.stop();
  v = startUptaneVehicle(world);
  await v.update('hu only 002');
  expect(v.newStatuses().at(-1)).toBe('success');
  await v.stop();
});
