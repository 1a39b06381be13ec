/** Both servers over TLS without a proxy, seen by curl and OpenSSL. */
import { execFile } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addressGuard, createPoster } from '../../../src/service/outgoing/index.js';
import { ADAPTER_SCHEMA } from '../../../src/adapter/schema.js';
import { CAROTA_SCHEMA } from '../../../src/carota/schema.js';
import { AdapterClient } from '../../../src/carota/schedules/index.js';
import { DEFAULT_HTTP_LIMITS } from '../../../src/service/limits/index.js';
import { fetchTrusting, trustedAuthorities } from '../../../src/service/tls/index.js';
import { startTestCarota, type TestCarota } from '../../carota/support/test-carota.js';
import { newDatabase } from '../../support/databases.js';
import { sampleOf } from '../../support/depth.js';
import { eventually, startTestAdapter, type TestAdapter } from '../../support/adapter.js';
import { newAuthority } from '../../support/certificates.js';
import { runCommand } from '../../support/run-command.js';
import { temporaryDirectory } from '../../support/servers.js';

const run = promisify(execFile);
const folder = temporaryDirectory('https');
const authority = newAuthority(folder);
const certFile = join(folder, 'server.pem');
const keyFile = join(folder, 'server.key');
const write = ({ cert, key }: { cert: string; key: string }) => {
  // The key first: a server that reads in between keeps its pair.
  for (const [file, text] of [
    [keyFile, key],
    [certFile, cert],
  ] as const) {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  }
};
const tls = {
  tlsCert: certFile,
  tlsKey: keyFile,
  ca: authority.file,
  // Noise instead of a handshake is cut off after this.
  httpLimits: { ...DEFAULT_HTTP_LIMITS, headersSeconds: 4 },
};

let adapter: TestAdapter;
let carota: TestCarota;
let urls: { adapter: string; carota: string };
const tokens = { adapter: '', carota: '' };

beforeAll(async () => {
  write(authority.issue('first'));
  adapter = await startTestAdapter(tls);
  const adapterUrl = adapter.adapter.httpUrl;
  carota = await startTestCarota(adapterUrl, tls);
  urls = { adapter: adapterUrl, carota: carota.carota.httpUrl };
  tokens.adapter = adapter.token;
  tokens.carota = carota.token;
});
afterAll(async () => {
  await carota.stop();
  await adapter.stop();
});

const curl = async (...args: string[]) =>
  (await run('curl', ['-sS', '--cacert', authority.file, ...args])).stdout;

/** OpenSSL's output, even if it fails. */
function sClient(url: string, ...args: string[]): Promise<string> {
  const { host } = new URL(url);
  const connecting = ['s_client', '-connect', host, '-CAfile', authority.file];
  return new Promise((resolve) => {
    const child = execFile('openssl', [...connecting, ...args], (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    );
    child.stdin?.end();
  });
}

describe.each(sampleOf(['adapter', 'carota'] as const, 2))('%s', (name) => {
  test('answers curl, with HSTS on every answer', async () => {
    const found = await curl('-i', `${urls[name]}/healthz`);
    expect(found).toMatch(/^HTTP\/1\.1 200/);
    expect(found).toMatch(/^strict-transport-security: max-age=31536000\r$/m);
    const refused = await curl('-i', `${urls[name]}/v1.0/tokens`);
    expect(refused).toMatch(/^HTTP\/1\.1 401/);
    expect(refused).toMatch(/^strict-transport-security: /m);
  });

  test('is refused by clients that do not trust its CA, including otaops', async () => {
    await expect(run('curl', ['-sS', `${urls[name]}/healthz`])).rejects.toThrow(/certificate/);
    const { code, output } = await runCommand(
      ['token', 'list', '--url', urls[name], '--token', tokens[name]],
      {},
    );
    expect([code, output]).toEqual([4, expect.stringMatching(/certificate|issuer/)]);
  });

  test('accepts TLS 1.3 and 1.2 with forward secrecy, and nothing older or weaker', async () => {
    expect(await sClient(urls[name], '-tls1_3')).toMatch(/TLSv1\.3, Cipher is TLS_AES_/);
    expect(await sClient(urls[name], '-tls1_2')).toMatch(
      /TLSv1\.2, Cipher is ECDHE-ECDSA-AES128-GCM/,
    );
    expect(await sClient(urls[name], '-tls1_2')).toMatch(/Verify return code: 0 \(ok\)/);
    const weak = ['-cipher', 'ECDHE-ECDSA-AES128-SHA:AES128-GCM-SHA256:@SECLEVEL=0'];
    expect(await sClient(urls[name], '-tls1_2', ...weak)).toMatch(/Cipher is \(NONE\)/);
    expect(await sClient(urls[name], '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0')).toMatch(
      /Cipher is \(NONE\)|unknown option|no protocols/i,
    );
  });

  test('cuts off plain HTTP and noise on its port, and keeps working', async () => {
    const { hostname, port } = new URL(urls[name]);
    const answerTo = (bytes: string) =>
      new Promise<string>((resolve) => {
        let text = '';
        const socket = connect(Number(port), hostname, () => socket.write(bytes));
        socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
        socket.on('error', () => undefined);
        socket.on('close', () => resolve(text));
      });
    const answers = await Promise.all(
      ['GET / HTTP/1.1\r\nhost: x\r\n\r\n', '\x16\x03\x01\x02\x00\x01garbage\0'].map(answerTo),
    );
    for (const answer of answers) expect(answer).not.toContain('HTTP/1.1 200');
    expect(await curl(`${urls[name]}/healthz`)).toContain('alive');
  });

  test('accepts only a cookie with __Host- for a browser’s session', async () => {
    const signIn = (...more: string[]) =>
      curl(
        ...['-i', `${urls[name]}/v1.0/session`, '-H', 'x-otaops-console: 1', ...more],
        ...['-H', 'content-type: application/json', '-d', JSON.stringify({ token: tokens[name] })],
      );
    // Even if no Origin shows TLS.
    const answer = await signIn();
    const [, cookie, value] =
      /^set-cookie: (__Host-otaops_\w+)=([^;]+); .*HttpOnly; Secure; SameSite=Strict\r$/m.exec(
        answer,
      ) ?? [];
    expect([cookie, answer]).toEqual([`__Host-otaops_${name}`, expect.any(String)]);
    const session = `${urls[name]}/v1.0/session`;
    expect(await curl(session, '-b', `${cookie}=${value}`)).toContain('"role":"admin"');
    expect(await curl(session, '-b', `otaops_${name}=${value}`)).toContain('UNAUTHORIZED');
  });

  test('is reached by otaops with --ca, whose doctor says when the certificate expires', async () => {
    const { code, output } = await runCommand(
      ['doctor', '--url', urls[name], '--token', tokens[name], '--ca', authority.file],
      { OTAOPS_MQTT_URL: adapter.adapter.mqttUrl },
    );
    expect(output).toMatch(/ok {3}certificate: expires on \d{4}-\d\d-\d\d, in (19|20) days/);
    expect(code).toBe(0);
    const untrusted = await runCommand(
      ['doctor', '--url', urls[name], '--token', tokens[name]],
      {},
    );
    expect(untrusted.output).toMatch(/BAD {2}certificate: is refused \(.*\); expires on/);
    expect(untrusted.code).toBe(1);
  });
});

test('serves a renewed certificate without a restart, and updates the metric', async () => {
  const trusting = fetchTrusting(await trustedAuthorities(authority.file)) ?? fetch;
  const metrics = async () => (await trusting(`${urls.adapter}/metrics`)).text();
  const expires = async () =>
    /^otaops_tls_certificate_expires_timestamp_seconds\{listener="http"\} (\S+)$/m.exec(
      await metrics(),
    )?.[1];
  const subject = () =>
    new Promise<string>((resolve, reject) => {
      const { hostname, port } = new URL(urls.adapter);
      const socket = tlsConnect({ host: hostname, port: Number(port), ca: authority.cert }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      });
      socket.once('error', reject);
    });
  const before = await metrics();
  expect(before).toMatch(/^otaops_tls_certificate_files_unusable\{listener="http"\} 0$/m);
  expect(await subject()).toContain('first');
  write({ ...authority.issue('broken'), key: 'no key' });
  await eventually(metrics, (text) =>
    /^otaops_tls_certificate_files_unusable\{listener="http"\} 1$/m.test(text),
  );
  expect(await subject()).toContain('first');
  write(authority.issue('short', 3));
  await eventually(subject, (found) => found.includes('short'));
  const days = (Number(await expires()) * 1000 - Date.now()) / 86_400_000;
  expect(days).toBeGreaterThan(1);
  expect(days).toBeLessThan(3.1);
  const { code, output } = await runCommand(
    ['doctor', '--url', urls.adapter, '--token', adapter.token, '--ca', authority.file],
    { OTAOPS_MQTT_URL: adapter.adapter.mqttUrl },
  );
  expect(output).toMatch(/BAD {2}certificate: expires on .*, in [23] days/);
  expect(code).toBe(1);
});

test('--tls-cert without --tls-key, and files that do not fit, prevent the start', async () => {
  const [ofAdapter, ofCarota] = [
    await newDatabase(ADAPTER_SCHEMA),
    await newDatabase(CAROTA_SCHEMA),
  ];
  const start = (command: string, { url }: { url: string }, ...tlsFlags: string[]) => {
    const dataDir = temporaryDirectory('tls-settings');
    const storage = ['--data-dir', dataDir, '--database-url', url];
    return runCommand([command, ...storage, '--log-level', 'warn', ...tlsFlags], {});
  };
  const lone = await start('serve', ofAdapter, '--tls-cert', certFile);
  expect([lone.code, lone.output]).toEqual([
    expect.any(Number),
    expect.stringContaining('--tls-cert and --tls-key must be given together'),
  ]);
  const other = join(folder, 'other.key');
  writeFileSync(other, authority.issue('other').key);
  const unfit = await start('carota', ofCarota, '--tls-cert', certFile, '--tls-key', other);
  expect(unfit.output).toMatch(/--tls-cert, --tls-key: .*server\.pem, .*other\.key: .*mismatch/);
  expect(unfit.code).not.toBe(0);
  await ofAdapter.drop();
  await ofCarota.drop();
});

test('--ca names a file without a certificate', async () => {
  const { code, output } = await runCommand(
    ['token', 'list', '--url', urls.adapter, '--token', 'x', '--ca', keyFile],
    {},
  );
  expect(output).toMatch(/--ca: .*server\.key: there is no PEM certificate in it/);
  expect(code).not.toBe(0);
});

test('--ca: the adapter’s call-backs and the CarOTA Server’s calls trust a private CA, and nobody else does', async () => {
  const ca = await trustedAuthorities(authority.file);
  const url = `${urls.carota}/v1.0/ota/events`;
  const trusting = createPoster(addressGuard(['127.0.0.0/8']), { ca });
  // Unsigned, hence refused by the server, not by TLS.
  await expect(trusting.post(url, {}, '{}')).rejects.toThrow(/answered 401/);
  trusting.close();
  const distrusting = createPoster(addressGuard(['127.0.0.0/8']));
  await expect(distrusting.post(url, {}, '{}')).rejects.toThrow(/certificate/);
  distrusting.close();
  const address = { adapterUrl: urls.adapter, adapterControlToken: tokens.adapter };
  const pause = (client: AdapterClient) =>
    client.control('none', 'pause', '', new AbortController().signal);
  await expect(pause(new AdapterClient(address, fetchTrusting(ca)))).rejects.toThrow(/404/);
  await expect(pause(new AdapterClient(address))).rejects.toThrow(/certificate/);
});
