/** The vehicle presents its client certificate to the CarOTA Server, and to no other server. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { once } from 'node:events';
import { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HttpFetcher } from '../../src/uptane/transfer/http-fetcher.js';
import { ClientTls } from '../../src/vehicle/index.js';
import { CarotaAdmission } from '../../src/vehicle/primary/carota-admission.js';
import { DirectorRequests } from '../../src/vehicle/primary/director-requests.js';
import { tlsFetch } from '../../src/vehicle/tls-fetch.js';
import {
  type AdapterDouble,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from '../carota/support/test-carota.js';
import { vinOf } from '../support/messages.js';
import { OpensslAuthority, pemOf, type Pair } from '../support/openssl-authority.js';

const authority = new OpensslAuthority();
const server = authority.server();
const [vin, other] = [vinOf(1, 'TLS'), vinOf(2, 'TLS')];
const systemId = `c2c-sys-${vin}`;
const ca = readFileSync(authority.ca, 'utf8');
let double: AdapterDouble;
let carota: TestCarota;
let base: string;
beforeAll(async () => {
  double = await startAdapterDouble();
  carota = await startTestCarota(double.url, {
    vehiclePort: 0,
    vehicleTls: { ...server, ca: authority.ca },
  });
  base = carota.carota.vehicleUrl ?? '';
  await carota.call('PUT', `/v1.0/vehicles/${vin}`, {
    body: { model: MODEL, system_id: systemId },
  });
});
afterAll(async () => {
  await carota.stop();
  await double.stop();
});

const tlsOf = (pair: Pair) => {
  const { cert, key } = pemOf(pair);
  return new ClientTls({ ca, cert: cert.toString(), key: key.toString() });
};
const own = tlsOf(authority.issue(systemId));
const signal = AbortSignal.timeout(60_000);
const director = (of: string) => new URL(`${base}/uptane/director/${of}`);

test('requests for metadata, time and admission use the certificate, and work only for the vehicle’s own VIN', async () => {
  const fetcher = (of: string) => new HttpFetcher(director(of), {}, () => own.options);
  expect(await fetcher(vin).fetch('1.root.json', signal)).toBeDefined();
  // The fetcher treats 403 as a missing file.
  expect(await fetcher(other).fetch('1.root.json', signal)).toBeUndefined();
  const requests = new DirectorRequests({ url: director(vin), tls: own });
  const time = await requests.askTime(['0123456789abcdef0123456789abcdef'], signal);
  expect(JSON.parse(Buffer.from(time).toString())).toHaveProperty('signed');
  const ask = (of: string) =>
    new CarotaAdmission({ url: base, vin: of, tls: own }).ask('none', signal);
  await expect(ask(vin)).rejects.toThrow('none');
  // Another VIN gets no final answer, so the vehicle would ask again.
  expect(await ask(other)).toBeGreaterThan(0);
});

test('a renewed certificate is used from the next request on', async () => {
  const tls = tlsOf(authority.issue('c2c-sys-unknown'));
  const send = async () =>
    (await tlsFetch(tls)(`${base}/uptane/director/${vin}/1.root.json`)).status;
  expect(await send()).toBe(401);
  const { cert, key } = pemOf(authority.issue(systemId));
  tls.renew({ cert: cert.toString(), key: key.toString() });
  expect(await send()).toBe(200);
});

test('redirects are not followed, and a server of another authority receives no request', async () => {
  const seen: string[] = [];
  const redirecting = createServer({ ...pemOf(server) }, (request, response) => {
    seen.push(request.url ?? '');
    response.writeHead(302, { location: `${base}/uptane/image/metadata/1.root.json` }).end();
  });
  redirecting.listen(0, '127.0.0.1');
  await once(redirecting, 'listening');
  const { port } = redirecting.address() as AddressInfo;
  const answer = await tlsFetch(own)(`https://127.0.0.1:${port}/first`);
  expect([answer.status, seen]).toEqual([302, ['/first']]);
  const stranger = new ClientTls({
    ...own.material,
    ca: readFileSync(new OpensslAuthority('Another').ca, 'utf8'),
  });
  await expect(tlsFetch(stranger)(`https://127.0.0.1:${port}/second`)).rejects.toThrow(
    /certificate/,
  );
  expect(seen).toEqual(['/first']);
  redirecting.close();
});
