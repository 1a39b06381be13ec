/**
 * First enrolment with a factory certificate (`--vehicle-bootstrap-ca`), which gives the vehicle that it names one
 * certificate of its own, once, and nothing else. OpenSSL and curl play the vehicles and the attackers.
 */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { takingTurns } from '../support/depth.js';
import { CertificateStore, ClientTls, EstClient } from '../../src/vehicle/index.js';
import { eventually, startTestAdapter, type TestAdapter } from '../support/adapter.js';
import { type TestVehicle, vehicleOf } from '../support/messages.js';
import {
  openssl,
  OpensslAuthority,
  type Pair,
  pemOf,
  runClient,
} from '../support/openssl-authority.js';
import { temporaryDirectory } from '../support/servers.js';
import {
  certificateIn,
  errorCodeOf,
  est as estAt,
  type EstRequest,
  requestOf,
} from './support/openssl-vehicle.js';
import {
  type AdapterDouble,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from './support/test-carota.js';

/** Tests with siblings on the same subject take turns. */
const isTurn = takingTurns(2);

const servers = new OpensslAuthority('Servers');
const factory = new OpensslAuthority('Factory');
const folder = temporaryDirectory('bootstrap');
const enrolmentCa = join(folder, 'authority');
const ca = join(enrolmentCa, 'ca.pem');
/** The factory's revocation list; our own authority has its list beside its key. */
const crl = join(folder, 'factory-crl.pem');
const { cert, key } = servers.server();
let double: AdapterDouble;
let carota: TestCarota;
let adapter: TestAdapter;
beforeAll(async () => {
  copyFileSync(factory.crl, crl);
  double = await startAdapterDouble();
  carota = await startTestCarota(double.url, {
    vehiclePort: 0,
    vehicleTls: { cert, key, ca: undefined, crl },
    enrolmentCa,
    vehicleBootstrapCa: factory.ca,
  });
  adapter = await startTestAdapter({ mqttsPort: 0, vehicleTls: { cert, key, ca } });
});
afterAll(async () => {
  await adapter.stop();
  await carota.stop();
  await double.stop();
});

const est = (path: string, request: EstRequest) =>
  estAt({ url: carota.carota.vehicleUrl, ca: servers.ca }, path, request);
const enrol = (from: Pair, csr: string) => est('simpleenroll', { from, csr });
const director = async (vin: string, from: Pair) => {
  const { output } = await runClient('curl', [
    ...['-sS', '-o', '/dev/null', '-w', '%{http_code}', '--cacert', servers.ca],
    ...['--cert', from.cert, '--key', from.key],
    `${carota.carota.vehicleUrl}/uptane/director/${vin}/1.root.json`,
  ]);
  return output;
};
const serialOf = (pair: Pair) => factory.serialOf(pair).toLowerCase().replace(/^0+/, '');
const revoke = (pair: Pair) =>
  carota.call('PUT', `/v1.0/revoked-certificates/${serialOf(pair)}`, { body: { reason: 'test' } });

let number = 0;
async function made(): Promise<TestVehicle & { readonly bootstrap: Pair }> {
  const vehicle = vehicleOf(++number, 'BST');
  await adapter.register(vehicle);
  const { status } = await carota.call('PUT', `/v1.0/vehicles/${vehicle.vin}`, {
    body: { model: MODEL, system_id: vehicle.systemId },
  });
  expect(status).toBeLessThan(300);
  return { ...vehicle, bootstrap: factory.issue(vehicle.systemId) };
}
async function enrolled() {
  const vehicle = await made();
  const request = requestOf(`/CN=${vehicle.systemId}`);
  const own = certificateIn(await enrol(vehicle.bootstrap, request.csr), request);
  return { ...vehicle, request, own };
}

test('a factory certificate gives the vehicle its own one, which the vehicle port accepts; the audit log names both', async () => {
  const { vin, systemId, bootstrap, own } = await enrolled();
  expect(openssl(folder, 'verify', '-CAfile', ca, '-purpose', 'sslclient', own.cert)).toContain('OK'); // prettier-ignore
  expect(await director(vin, own)).toBe('200');
  const { items } = (await carota.call('GET', `/v1.0/audit?action=issue-certificate&vin=${vin}`))
    .body;
  expect(items).toMatchObject([
    {
      tokenId: `bootstrap certificate ${serialOf(bootstrap)}`,
      tokenName: systemId,
      subject: serialOf(own),
      outcome: 'done',
    },
  ]);
});

test('a factory certificate is good for nothing else: neither Director, renewal nor broker', async () => {
  for (const vehicle of [await made(), await enrolled()]) {
    const { vin, systemId, bootstrap } = vehicle;
    expect(await director(vin, bootstrap)).toBe('401');
    const { csr } = requestOf(`/CN=${systemId}`);
    expect(errorCodeOf(await est('simplereenroll', { from: bootstrap, csr }))).toEqual([
      401,
      'UNAUTHORIZED',
    ]);
    const client = mqtt.connect(adapter.adapter.mqttsUrl ?? '', {
      clientId: systemId,
      ca: readFileSync(servers.ca),
      ...pemOf(bootstrap),
      reconnectPeriod: 0,
      protocolVersion: 4,
    });
    const outcome = await new Promise<string>((resolve) => {
      client.once('connect', () => resolve('connected'));
      client.once('error', () => resolve('refused'));
      client.once('close', () => resolve('refused'));
    });
    client.end(true);
    expect(outcome).toBe('refused');
  }
});

test('a factory certificate enrols only the vehicle that it names, and only if that is registered', async () => {
  const [own, other] = [await made(), await made()];
  expect(errorCodeOf(await enrol(own.bootstrap, requestOf(`/CN=${other.systemId}`).csr))).toEqual([
    400,
    'REQUEST_REFUSED',
  ]);
  const unknown = factory.issue('c2c-sys-unknown');
  expect(errorCodeOf(await enrol(unknown, requestOf('/CN=c2c-sys-unknown').csr))).toEqual([
    401,
    'UNAUTHORIZED',
  ]);
  // Neither attempt has used up a certificate.
  for (const { bootstrap, systemId } of [own, other]) {
    expect((await enrol(bootstrap, requestOf(`/CN=${systemId}`).csr)).status).toBe(200);
  }
});

test('a used factory certificate works again only for the same key, in case the answer was lost, even concurrently', async () => {
  const { bootstrap, request, systemId } = await enrolled();
  expect((await enrol(bootstrap, request.csr)).status).toBe(200);
  const another = requestOf(`/CN=${systemId}`);
  expect(errorCodeOf(await enrol(bootstrap, another.csr))).toEqual([403, 'BOOTSTRAP_USED']);
  // Another factory certificate for the same vehicle changes nothing.
  const second = factory.issue(systemId);
  for (const { csr } of [another, request]) {
    expect(errorCodeOf(await enrol(second, csr))).toEqual([403, 'BOOTSTRAP_USED']);
  }
  const racing = await made();
  const statuses = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const { csr } = requestOf(`/CN=${racing.systemId}`);
      return (await enrol(racing.bootstrap, csr)).status;
    }),
  );
  expect(statuses.sort((a, b) => a - b)).toEqual([200, 403, 403, 403]);
  const refusals = await eventually(
    async () =>
      (await carota.call('GET', '/v1.0/audit?action=issue-certificate&outcome=refused')).body.items,
    (items) => items.some(({ subject }: { subject: string }) => subject === systemId),
  );
  expect(refusals).toContainEqual(
    expect.objectContaining({
      tokenId: `bootstrap certificate ${serialOf(bootstrap)}`,
      errorCode: 'BOOTSTRAP_USED',
    }),
  );
});

test.runIf(isTurn())(
  'a vehicle that has enrolled with a code, or whose own certificate is revoked, needs a code',
  async () => {
    const byCode = await made();
    const code = async (vin: string) =>
      (await carota.call('POST', `/v1.0/vehicles/${vin}/enrolment-codes`)).body.code as string;
    const first = requestOf(`/CN=${byCode.systemId}`);
    const as = [byCode.systemId, await code(byCode.vin)] as const;
    expect((await est('simpleenroll', { as, csr: first.csr })).status).toBe(200);
    expect(errorCodeOf(await enrol(byCode.bootstrap, first.csr))).toEqual([403, 'BOOTSTRAP_USED']);

    const robbed = await enrolled();
    await revoke(robbed.own);
    expect(errorCodeOf(await enrol(robbed.bootstrap, robbed.request.csr))).toEqual([
      403,
      'BOOTSTRAP_USED',
    ]);
    const next = requestOf(`/CN=${robbed.systemId}`);
    const again = [robbed.systemId, await code(robbed.vin)] as const;
    const pair = certificateIn(await est('simpleenroll', { as: again, csr: next.csr }), next);
    expect(await director(robbed.vin, pair)).toBe('200');
  },
);

test('a revoked factory certificate enrols no vehicle: by serial number, and by the factory’s list', async () => {
  const [bySerial, byList] = [await made(), await made()];
  await revoke(bySerial.bootstrap);
  factory.revoke(byList.bootstrap);
  copyFileSync(factory.crl, crl);
  for (const { bootstrap, systemId, vin } of [bySerial, byList]) {
    // Refused in the handshake, before any request.
    await eventually(
      () => director(vin, bootstrap),
      (status) => status === '000' || status.endsWith('000'),
    );
    expect((await enrol(bootstrap, requestOf(`/CN=${systemId}`).csr)).status).toBe(0);
  }
});

const nameOf = async (vin: string, systemId: string) => {
  const { status } = await carota.call('PUT', `/v1.0/vehicles/${vin}`, {
    body: { model: MODEL, system_id: systemId },
  });
  expect(status).toBeLessThan(300);
};
const erase = async (vin: string) =>
  expect((await carota.call('DELETE', `/v1.0/vehicles/${vin}`)).status).toBe(204);

test.runIf(isTurn())(
  'a system_id that leaves its vehicle needs a code from then on, whether or not, and however, it was enrolled',
  async () => {
    const [fresh, byFactory, byCode, erased, freshErased] = [
      await made(),
      await enrolled(),
      await made(),
      await made(),
      await made(),
    ];
    for (const { vin, systemId } of [byCode, erased]) {
      const { code } = (await carota.call('POST', `/v1.0/vehicles/${vin}/enrolment-codes`)).body;
      const { csr } = requestOf(`/CN=${systemId}`);
      expect((await est('simpleenroll', { as: [systemId, code], csr })).status).toBe(200);
    }
    for (const { vin, systemId } of [fresh, byFactory, byCode])
      await nameOf(vin, `${systemId}-new`);
    for (const { vin } of [erased, freshErased]) await erase(vin);
    for (const { bootstrap, systemId } of [fresh, byFactory, byCode, erased, freshErased]) {
      // Another vehicle has the system_id now.
      await nameOf(vehicleOf(++number, 'BST').vin, systemId);
      const { csr } = requestOf(`/CN=${systemId}`);
      expect(errorCodeOf(await enrol(bootstrap, csr))).toEqual([403, 'BOOTSTRAP_USED']);
    }
    // Even back at its first vehicle, and with the key that it was used for.
    const { vin, systemId, bootstrap, request } = byFactory;
    const [holder] = (await carota.call('GET', `/v1.0/vehicles?limit=1000`)).body.items.filter(
      ({ system_id: name }: { system_id: string }) => name === systemId,
    );
    await erase(holder.vin);
    await nameOf(vin, systemId);
    expect(errorCodeOf(await enrol(bootstrap, request.csr))).toEqual([403, 'BOOTSTRAP_USED']);
    // The vehicle's new system_id can be enrolled like any other.
    const next = factory.issue(`${fresh.systemId}-new`);
    expect((await enrol(next, requestOf(`/CN=${fresh.systemId}-new`).csr)).status).toBe(200);
  },
);

test.runIf(isTurn())(
  'the factory certificate’s serial number is not revoked with the vehicle’s own certificate',
  async () => {
    const [moved, erased] = [await enrolled(), await enrolled()];
    await nameOf(moved.vin, `${moved.systemId}-new`);
    await erase(erased.vin);
    const { items } = (await carota.call('GET', '/v1.0/revoked-certificates?limit=1000')).body;
    const serials = items.map(({ serial }: { serial: string }) => serial);
    for (const { bootstrap, own } of [moved, erased]) {
      expect(serials).toContain(serialOf(own));
      expect(serials).not.toContain(serialOf(bootstrap));
    }
  },
);

test.runIf(isTurn())(
  'the server does not start if both kinds share an authority, or one authority issued the other',
  async () => {
    const start = (vehicleBootstrapCa: string, vehicleCa: string) =>
      startTestCarota(double.url, {
        vehiclePort: 0,
        vehicleTls: { cert, key, ca: vehicleCa },
        enrolmentCommand: 'false',
        vehicleBootstrapCa,
      });
    await expect(start(factory.ca, factory.ca)).rejects.toThrow('an authority in common');
    // A factory authority issued by the vehicles' root: its certificates would be accepted for everything.
    const below = servers.issue('below', { extensions: ['basicConstraints=critical,CA:TRUE'] });
    await expect(start(below.cert, servers.ca)).rejects.toThrow('an authority in common');
    const nothing = join(folder, 'nothing.pem');
    writeFileSync(nothing, '');
    await expect(start(nothing, servers.ca)).rejects.toThrow(nothing);
    await expect(startTestCarota(double.url, { vehicleBootstrapCa: factory.ca })).rejects.toThrow(
      '--vehicle-bootstrap-ca needs --enrolment-ca or --enrolment-command',
    );
  },
);

test.runIf(isTurn())(
  'the agent enrols with the factory certificate by itself, and renews with its own',
  async () => {
    const { systemId, bootstrap } = await made();
    const tls = new ClientTls({ ca: readFileSync(servers.ca, 'utf8') });
    const text = (file: string) => readFileSync(file, 'utf8');
    const client = new EstClient({
      url: new URL(carota.carota.vehicleUrl ?? ''),
      systemId,
      tls,
      bootstrap: { cert: text(bootstrap.cert), key: text(bootstrap.key) },
    });
    const store = new CertificateStore(temporaryDirectory('bootstrapped'));
    const first = store.complete(await client.request(store.pendingKey()), systemId);
    tls.renew(first);
    const second = store.complete(await client.request(store.pendingKey()), systemId);
    expect(second.cert).not.toBe(first.cert);
  },
);
