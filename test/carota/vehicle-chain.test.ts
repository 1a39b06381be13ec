/**
 * Vehicle certificates from an intermediate authority, made by OpenSSL: whatever is sent beside them, the path that is
 * used is checked against the revocation lists.
 */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { takingTurns } from '../support/depth.js';
import { vinOf } from '../support/messages.js';
import { openssl, OpensslAuthority, type Pair, runClient } from '../support/openssl-authority.js';
import { temporaryDirectory } from '../support/servers.js';
import {
  type AdapterDouble,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from './support/test-carota.js';

/** Tests with siblings on the same subject take turns. */
const isTurn = takingTurns(2);

const folder = temporaryDirectory('vehicle-chain');
const servers = new OpensslAuthority('Servers');
const root = new OpensslAuthority('Root');
const vin = vinOf(1, 'CHN');
const systemId = `c2c-sys-${vin}`;
const INTERMEDIATE = ['basicConstraints=critical,CA:TRUE', 'keyUsage=keyCertSign,cRLSign'];
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
let files = 0;

const intermediate = (name: string) =>
  root.issue(name, { subject: `/CN=${name}`, extensions: INTERMEDIATE });

/** A vehicle certificate from this authority. */
function leafOf(authority: Pair): Pair {
  const name = `leaf-${++files}`;
  openssl(folder, 'req', ...NEW_KEY, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${systemId}`); // prettier-ignore
  writeFileSync(join(folder, `${name}.ext`), 'extendedKeyUsage=clientAuth');
  openssl(folder, 'x509', '-req', '-in', `${name}.csr`, '-CA', authority.cert, '-CAkey', authority.key, '-set_serial', `0x${(0x5000 + files).toString(16)}`, '-days', '5', '-extfile', `${name}.ext`, '-out', `${name}.pem`); // prettier-ignore
  return { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
}

/** A self-signed certificate with the name of the root. */
function junk(): string {
  const name = `junk-${++files}`;
  openssl(folder, 'req', '-x509', ...NEW_KEY, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', '/CN=Root', '-days', '5'); // prettier-ignore
  return join(folder, `${name}.pem`);
}

function sending(leaf: Pair, ...others: string[]): Pair {
  const cert = join(folder, `sent-${++files}.pem`);
  writeFileSync(cert, [leaf.cert, ...others].map((file) => readFileSync(file, 'utf8')).join('\n'));
  return { cert, key: leaf.key };
}

let adapter: AdapterDouble;
beforeAll(async () => {
  adapter = await startAdapterDouble();
});
afterAll(() => adapter.stop());

interface Tested {
  readonly carota: TestCarota;
  readonly ca: string;
  readonly crl: string;
  readonly server: Pair;
  /** HTTP status; 000: refused in the handshake. */
  readonly status: (from: Pair) => Promise<string>;
}
async function withCarota(authorities: string[], work: (tested: Tested) => Promise<void>) {
  const server = servers.server();
  const [ca, crl] = ['ca', 'crl'].map((name) => join(folder, `${name}-${++files}.pem`)) as [
    string,
    string,
  ];
  writeFileSync(ca, authorities.map((file) => readFileSync(file, 'utf8')).join('\n'));
  copyFileSync(root.crl, crl);
  const carota = await startTestCarota(adapter.url, {
    vehiclePort: 0,
    vehicleTls: { ...server, ca, crl },
  });
  try {
    await carota.call('PUT', `/v1.0/vehicles/${vin}`, {
      body: { model: MODEL, system_id: systemId },
    });
    const status = async (from: Pair) =>
      (
        await runClient('curl', [
          ...['-s', '-o', '/dev/null', '-w', '%{http_code}', '--cacert', servers.ca],
          ...['--cert', from.cert, '--key', from.key],
          `${carota.carota.vehicleUrl}/uptane/director/${vin}/1.root.json`,
        ])
      ).output;
    await work({ carota, ca, crl, server, status });
  } finally {
    await carota.stop();
  }
}

test('an intermediate that the vehicle sends is checked against the root’s list, whatever is sent beside it', async () => {
  const between = intermediate('Between');
  const leaf = leafOf(between);
  const many = Array.from({ length: 7 }, junk);
  await withCarota([root.ca], async ({ status, crl }) => {
    expect(await status(sending(leaf, between.cert))).toBe('200');
    expect(await status(sending(leaf, ...many.slice(0, 6), between.cert))).toBe('200');
    // No more than eight certificates are considered.
    expect(await status(sending(leaf, ...many, between.cert))).toBe('000');
    root.revoke(between);
    copyFileSync(root.crl, crl);
    const plain = () => status(sending(leaf, between.cert));
    await expect.poll(plain, { timeout: 30_000 }).toBe('000');
    expect(await status(sending(leaf, ...many.slice(0, 6), between.cert))).toBe('000');
  });
});

test.runIf(isTurn())(
  'an intermediate in our own file is checked against the root’s list',
  async () => {
    const [own, good] = [intermediate('Own'), intermediate('Good')];
    const [leaf, other] = [leafOf(own), leafOf(good)];
    await withCarota([root.ca, own.cert, good.cert], async ({ status, crl }) => {
      expect(await status(leaf)).toBe('200');
      root.revoke(own);
      copyFileSync(root.crl, crl);
      await expect.poll(() => status(leaf), { timeout: 30_000 }).toBe('000');
      expect(await status(other)).toBe('200');
    });
  },
);

test.runIf(isTurn())(
  'an authority with the same name but another key is a different authority',
  async () => {
    const leaf = root.issue(systemId);
    const namesake = new OpensslAuthority('Root');
    await withCarota([root.ca], async ({ carota, ca, crl, status }) => {
      expect(await status(leaf)).toBe('200');
      const { hostname, port } = new URL(carota.carota.vehicleUrl ?? '');
      const socket = connect({
        ...{ host: hostname, port: Number(port), ca: readFileSync(servers.ca) },
        cert: readFileSync(leaf.cert),
        key: readFileSync(leaf.key),
      });
      socket.on('error', () => undefined);
      socket.resume();
      const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      await new Promise<void>((resolve) => socket.once('secureConnect', () => resolve()));
      // Kept in use, so that it is not closed for being idle.
      const asking = setInterval(
        () => socket.write(`GET /uptane/director/${vin}/1.root.json HTTP/1.1\r\nhost: x\r\n\r\n`),
        200,
      );
      try {
        await new Promise<void>((resolve) => socket.once('data', () => resolve()));
        copyFileSync(namesake.crl, crl);
        copyFileSync(namesake.ca, ca);
        await ended;
      } finally {
        clearInterval(asking);
        socket.destroy();
      }
      expect(await status(leaf)).toBe('000');
      expect(await status(namesake.issue(systemId))).toBe('200');
    });
  },
);

test('the port accepts only suites with authenticated encryption, also after its certificate is renewed', async () => {
  await withCarota([root.ca], async ({ carota, server }) => {
    const { host } = new URL(carota.carota.vehicleUrl ?? '');
    const cipher = async (suite: string) =>
      (await runClient('openssl', ['s_client', '-connect', host, '-tls1_2', '-cipher', suite]))
        .output;
    const good = () => cipher('ECDHE-ECDSA-AES128-GCM-SHA256');
    const expectPolicy = async () => {
      expect(await good()).toMatch(/Cipher is ECDHE-ECDSA-AES128/);
      expect(await cipher('ECDHE-ECDSA-AES128-SHA')).toMatch(/Cipher is \(NONE\)/);
    };
    await expectPolicy();
    const renewed = servers.server();
    copyFileSync(renewed.key, server.key);
    copyFileSync(renewed.cert, server.cert);
    await expect
      .poll(good, { timeout: 30_000 })
      .toContain(readFileSync(renewed.cert, 'utf8').trim());
    await expectPolicy();
  });
});
