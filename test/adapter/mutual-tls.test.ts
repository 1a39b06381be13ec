/**
 * Mutual TLS at the embedded broker: a client certificate is the vehicle's identity, and no vehicle can speak for
 * another with its own. Certificates come from OpenSSL; clients are OpenSSL, mosquitto_pub and MQTT.js.
 */
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as tcpConnect } from 'node:net';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import mqtt, { type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { newDeviceMessageId } from '../../src/contract/index.js';
import { readTlsFiles } from '../../src/service/vehicle-tls/index.js';
import { eventually, startTestAdapter, type TestAdapter } from '../support/adapter.js';
import { sampleOf } from '../support/depth.js';
import { eventBytes, type TestVehicle, vehicleOf } from '../support/messages.js';
import { OpensslAuthority, type Pair, pemOf, runClient } from '../support/openssl-authority.js';
import { mosquittoClients, temporaryDirectory } from '../support/servers.js';

const authority = new OpensslAuthority();
const stranger = new OpensslAuthority('Another Authority');
const folder = temporaryDirectory('broker-tls');
const paths = {
  cert: join(folder, 'cert.pem'),
  key: join(folder, 'key.pem'),
  ca: authority.ca,
  crl: join(folder, 'crl.pem'),
};
const install = ({ cert, key }: Pair) => {
  copyFileSync(key, paths.key);
  copyFileSync(cert, paths.cert);
};
const publishCrl = () => copyFileSync(authority.crl, paths.crl);

let t: TestAdapter;
beforeAll(async () => {
  install(authority.server());
  publishCrl();
  t = await startTestAdapter({ mqttsPort: 0, vehicleTls: paths });
});
afterAll(() => t.stop());

const clients: MqttClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.end(true);
});

const url = () => t.adapter.mqttsUrl ?? '';
const connect = (pair: Pair | undefined, clientId: string, options: object = {}) => {
  const client = mqtt.connect(url(), {
    clientId,
    ca: readFileSync(authority.ca),
    ...(pair ? pemOf(pair) : {}),
    reconnectPeriod: 0,
    connectTimeout: 10_000,
    protocolVersion: 4,
    ...options,
  });
  clients.push(client);
  return new Promise<MqttClient>((resolve, reject) => {
    client.once('connect', () => resolve(client));
    client.once('error', reject);
    client.once('close', () => reject(new Error('the connection was closed')));
  });
};

let number = 0;
async function registered(): Promise<TestVehicle> {
  const vehicle = vehicleOf(++number, 'TLS');
  await t.register(vehicle);
  return vehicle;
}
const closed = (client: MqttClient) =>
  new Promise<void>((resolve) => client.once('close', resolve));
const eventOf = (vehicle: TestVehicle) =>
  eventBytes(vehicle, {
    refId: 'none',
    messageId: newDeviceMessageId(),
    correlationId: '',
    status: 3,
    timestamp: Date.now(),
  });

type NamedCertificate = readonly [
  string,
  (systemId: string) => Parameters<OpensslAuthority['issue']>[1],
];

const WAYS_TO_NAME: readonly NamedCertificate[] = [
  ['the common name', () => ({})],
  ['a DNS name', (id) => ({ subject: '/O=maker', extensions: [`subjectAltName=DNS:${id}`] })],
  [
    'a URI',
    (id) => ({ subject: '/O=maker', extensions: [`subjectAltName=URI:urn:otaops:system:${id}`] }),
  ],
  [
    'all of them',
    (id) => ({
      extensions: [
        `subjectAltName=DNS:${id},URI:urn:otaops:system:${id}`,
        'extendedKeyUsage=clientAuth',
      ],
    }),
  ],
];

test.each(sampleOf(WAYS_TO_NAME, 2))(
  '%s of the certificate is the system_id; no password is needed',
  async (_what, certificate) => {
    const vehicle = await registered();
    const pair = authority.issue(vehicle.systemId, certificate(vehicle.systemId));
    const client = await connect(pair, vehicle.systemId);
    const before = await t.storedMessages();
    await client.publishAsync(`d2c/${vehicle.systemId}`, eventOf(vehicle), { qos: 1 });
    expect(await t.storedMessages()).toBe(before + 1);
    await client.subscribeAsync(`c2d/${vehicle.systemId}`, { qos: 1 });
    await expect(client.subscribeAsync('c2d/c2c-sys-other', { qos: 1 })).rejects.toThrow(
      'Subscribe',
    );
  },
);

/** The client accepts certificates of any strength, so it is the broker that refuses. */
const refusedBy = (pair: Pair | undefined, systemId: string) =>
  expect(connect(pair, systemId, { ciphers: 'DEFAULT:@SECLEVEL=0' })).rejects.toThrow();

const REFUSED: readonly NamedCertificate[] = [
  ['two common names', (id) => ({ subject: `/CN=${id}/CN=${id}-2` })],
  ['the same common name twice', (id) => ({ subject: `/CN=${id}/CN=${id}` })],
  [
    'another DNS name beside the common name',
    () => ({ extensions: ['subjectAltName=DNS:c2c-sys-other'] }),
  ],
  ['another URI', (id) => ({ extensions: [`subjectAltName=URI:urn:otaops:system:${id}-2`] })],
  ['a URI of another kind', (id) => ({ extensions: [`subjectAltName=URI:urn:x:${id}`] })],
  ['an address', () => ({ extensions: ['subjectAltName=IP:127.0.0.1'] })],
  [
    'an escaped NUL',
    (id) => ({ subject: '/O=x', extensions: [`subjectAltName=URI:urn:otaops:system:${id}%00`] }),
  ],
  ['no name', () => ({ subject: '/O=maker' })],
  ['CA:TRUE', () => ({ extensions: ['basicConstraints=critical,CA:TRUE'] })],
  ['the purpose of a server', () => ({ extensions: ['extendedKeyUsage=serverAuth'] })],
  ['a key for key agreement only', () => ({ extensions: ['keyUsage=critical,keyAgreement'] })],
  ['an RSA key of 1,024 bits', () => ({ newKey: 'rsa:1024' })],
  ['a signature with SHA-1', () => ({ digest: 'sha1' })],
  ['an end in the past', () => ({ from: '20200101000000Z', until: '20210101000000Z' })],
  ['a start in the future', () => ({ from: '20400101000000Z', until: '20410101000000Z' })],
];

test.each(sampleOf(REFUSED, 3))('a certificate with %s is refused', async (_what, certificate) => {
  const vehicle = await registered();
  const pair = authority.issue(vehicle.systemId, certificate(vehicle.systemId));
  await refusedBy(pair, vehicle.systemId);
});

/** A certificate and its issuers, in one file. */
const chained = ({ cert, key }: Pair, ...others: Pair[]): Pair => {
  const file = `${cert}.chain`;
  writeFileSync(file, [cert, ...others.map((other) => other.cert)].map((one) => readFileSync(one, 'utf8')).join('')); // prettier-ignore
  return { cert: file, key };
};
const CA_USE = 'keyUsage=critical,keyCertSign';

test.each<[string, ...string[][]]>([
  ['no right to issue', ['basicConstraints=critical,CA:FALSE', CA_USE]],
  [
    'a key that may not sign certificates',
    ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,digitalSignature'],
  ],
  [
    'another one above it that allows none',
    ['basicConstraints=critical,CA:TRUE,pathlen:0', CA_USE],
    ['basicConstraints=critical,CA:TRUE', CA_USE],
  ],
])('an issuer with %s cannot certify a vehicle; a proper one can', async (_what, ...levels) => {
  const vehicle = await registered();
  const under = (extensions: readonly string[][]) => {
    const issuers: Pair[] = [];
    for (const one of extensions) {
      const above = issuers[0] ? { issuer: issuers[0] } : {};
      // An issuer with the name of its own issuer would not count against pathlen (RFC 5280, section 4.2.1.9).
      issuers.unshift(authority.issue(`CA ${issuers.length}`, { extensions: one, ...above }));
    }
    const [issuer] = issuers as [Pair];
    return chained(authority.issue(vehicle.systemId, { issuer }), ...issuers);
  };
  await refusedBy(under(levels), vehicle.systemId);
  const proper = levels.map(() => ['basicConstraints=critical,CA:TRUE', CA_USE]);
  await connect(under(proper), vehicle.systemId);
});

test('a stranger’s certificate is refused even if the vehicle’s own follows in its chain', async () => {
  const vehicle = await registered();
  const [good, evil] = [authority.issue(vehicle.systemId), stranger.issue(vehicle.systemId)];
  await refusedBy(chained(evil, good, evil), vehicle.systemId);
  await refusedBy(chained(evil, good), vehicle.systemId);
  await connect(good, vehicle.systemId);
});

test('no certificate, or one of another authority, is refused', async () => {
  const vehicle = await registered();
  await refusedBy(undefined, vehicle.systemId);
  await refusedBy(stranger.issue(vehicle.systemId), vehicle.systemId);
  const count = await t.metric('otaops_limit_refusals_total{limit="mqtt-certificates"}');
  expect(count).toBeGreaterThan(0);
});

test('a NUL in a DNS name does not end the name', async () => {
  const vehicle = await registered();
  // OpenSSL's configuration can express it only in DER: a dNSName of the system_id, NUL and "x".
  const pair = authority.issue(vehicle.systemId, {
    extensions: [
      'subjectAltName=DER:' + derDnsName(`${vehicle.systemId}\0x`),
      'extendedKeyUsage=clientAuth',
    ],
  });
  await refusedBy(pair, vehicle.systemId);
});

const derDnsName = (name: string) =>
  Buffer.concat([
    Buffer.from([0x30, name.length + 2, 0x82, name.length]),
    Buffer.from(name, 'latin1'),
  ])
    .toString('hex')
    .replaceAll(/..(?=.)/g, '$&:');

test('with its certificate a vehicle cannot pose as another, by client id, user name or topic', async () => {
  const [own, other] = [await registered(), await registered()];
  const pair = authority.issue(own.systemId);
  await refusedBy(pair, other.systemId);
  await expect(connect(pair, own.systemId, { username: other.systemId })).rejects.toThrow();
  // Nor with the other one's credential beside the certificate.
  await expect(
    connect(pair, other.systemId, {
      username: other.systemId,
      password: `credential-of-${other.vin}`,
    }),
  ).rejects.toThrow();
  const client = await connect(pair, own.systemId, { username: own.systemId });
  const dead = () => t.metric('otaops_messages_dead_letter_total');
  const before = await dead();
  await client.publishAsync(`d2c/${other.systemId}`, eventOf(other), { qos: 1 });
  expect(await dead()).toBe(before + 1);
});

test('a vehicle that is not registered is refused, and one that is deleted is disconnected', async () => {
  const vehicle = vehicleOf(++number, 'TLS');
  const pair = authority.issue(vehicle.systemId);
  await refusedBy(pair, vehicle.systemId);
  await t.register(vehicle);
  const client = await connect(pair, vehicle.systemId);
  const gone = closed(client);
  await t.call('DELETE', `/v1.0/vehicles/${vehicle.vin}`);
  await gone;
  await refusedBy(pair, vehicle.systemId);
});

test('a revocation by serial number ends the connection, lasts, and spares other certificates', async () => {
  const vehicle = await registered();
  const [pair, next] = [authority.issue(vehicle.systemId), authority.issue(vehicle.systemId)];
  const client = await connect(pair, vehicle.systemId);
  const gone = closed(client);
  const serial = authority.serialOf(pair);
  const revoke = () =>
    t.call('PUT', `/v1.0/revoked-certificates/${serial}`, { body: { reason: 'stolen' } });
  const { status, body } = await revoke();
  expect([status, body.serial]).toEqual([200, serial.toLowerCase().replace(/^0+/, '')]);
  await gone;
  await refusedBy(pair, vehicle.systemId);
  // Another certificate of the same vehicle still works.
  await connect(next, vehicle.systemId);
  expect((await revoke()).body).toEqual(body);
  const { items } = (await t.call('GET', '/v1.0/revoked-certificates')).body;
  expect(items).toContainEqual(body);
});

test('a new revocation list ends the connection of a vehicle on it', async () => {
  const vehicle = await registered();
  const pair = authority.issue(vehicle.systemId);
  const client = await connect(pair, vehicle.systemId);
  const gone = closed(client);
  authority.revoke(pair);
  publishCrl();
  await gone;
  await refusedBy(pair, vehicle.systemId);
});

test('an unreadable list, or one of another authority, changes nothing', async () => {
  const vehicle = await registered();
  const [revoked, good] = [authority.issue(vehicle.systemId), authority.issue(vehicle.systemId)];
  authority.revoke(revoked);
  publishCrl();
  await eventually(
    () =>
      connect(revoked, vehicle.systemId).then(
        () => 'connected',
        () => 'refused',
      ),
    (outcome) => outcome === 'refused',
  );
  for (const bad of [readFileSync(stranger.crl), 'no list']) {
    const failures = () => t.metric('otaops_failures_total{part="message-link"}');
    const before = await failures();
    writeFileSync(paths.crl, bad);
    await eventually(failures, (number) => number > before);
    await refusedBy(revoked, vehicle.systemId);
    await connect(good, vehicle.systemId);
  }
  publishCrl();
});

test('a renewed server certificate is served without a restart, and connections stay', async () => {
  const vehicle = await registered();
  const pair = authority.issue(vehicle.systemId);
  const client = await connect(pair, vehicle.systemId);
  const renewed = authority.server();
  install(renewed);
  const served = () =>
    new Promise<string>((resolve, reject) => {
      const { hostname, port } = new URL(url());
      const socket = tlsConnect(
        { host: hostname, port: Number(port), ca: readFileSync(authority.ca), ...pemOf(pair) },
        () => {
          resolve(socket.getPeerCertificate().serialNumber);
          socket.destroy();
        },
      );
      socket.once('error', reject);
    });
  await eventually(served, (serial) => serial === authority.serialOf(renewed));
  expect(client.connected).toBe(true);
});

test('openssl s_client: a handshake fails without a certificate, and in TLS 1.1 even with one', async () => {
  const vehicle = await registered();
  const { cert, key } = authority.issue(vehicle.systemId);
  const { host } = new URL(url().replace('mqtts:', 'https:'));
  const handshake = (...args: string[]) =>
    runClient('openssl', ['s_client', '-connect', host, '-CAfile', authority.ca, ...args]);
  const identity = ['-cert', cert, '-key', key];
  const without = await handshake('-tls1_2');
  expect(without.output).toMatch(/alert/);
  const withOne = await handshake('-tls1_2', ...identity);
  expect(withOne.output).toContain('Verify return code: 0');
  expect(withOne.output).not.toMatch(/alert/);
  const old = await handshake('-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0', ...identity);
  expect(old.output).toMatch(/alert protocol version/);
});

test('no cipher suite without authenticated encryption is accepted', async () => {
  const cipher = async (suite: string) => {
    const { host } = new URL(url());
    const args = ['s_client', '-connect', host, '-tls1_2', '-cipher', suite];
    return (await runClient('openssl', args)).output;
  };
  expect(await cipher('ECDHE-ECDSA-AES128-GCM-SHA256')).toMatch(/Cipher is ECDHE-ECDSA-AES128/);
  expect(await cipher('ECDHE-ECDSA-AES128-SHA')).toMatch(/Cipher is \(NONE\)/);
});

test('mosquitto_pub publishes with a certificate', async () => {
  const programs = await mosquittoClients();
  if (!programs) return;
  const vehicle = await registered();
  const { cert, key } = authority.issue(vehicle.systemId);
  const { hostname, port } = new URL(url());
  const file = join(folder, 'message.json');
  writeFileSync(file, eventOf(vehicle));
  const before = await t.storedMessages();
  const { code, output } = await runClient(programs.pub, [
    ...['-h', hostname, '-p', port, '-i', vehicle.systemId, '-q', '1'],
    ...['-t', `d2c/${vehicle.systemId}`, '-f', file],
    ...['--cafile', authority.ca, '--cert', cert, '--key', key],
  ]);
  expect([code, output]).toEqual([0, '']);
  expect(await t.storedMessages()).toBe(before + 1);
});

test('connections that do not finish the handshake are closed, and count as not signed in', async () => {
  const limited = await startTestAdapter({
    mqttPlain: false,
    mqttsPort: 0,
    vehicleTls: paths,
    brokerLimits: {
      connections: { inAll: 100, perAddress: 0 },
      unauthenticated: 2,
      connectSeconds: 60,
      connectBytes: 16 * 1024,
      queue: 10,
    },
  });
  try {
    expect(limited.adapter.mqttUrl).toBe(limited.adapter.mqttsUrl);
    const { hostname, port } = new URL(limited.adapter.mqttUrl);
    const silent = await Promise.all(
      [1, 2, 3].map(async () => {
        const socket = tcpConnect(Number(port), hostname);
        socket.on('error', () => undefined);
        await once(socket, 'connect');
        return socket;
      }),
    );
    await Promise.race(silent.map((socket) => once(socket, 'close')));
    for (const socket of silent) socket.destroy();
  } finally {
    await limited.stop();
  }
});

test('an unusable file stops the start, and the message names it', async () => {
  const missing = join(folder, 'missing.pem');
  await expect(readTlsFiles({ ...paths, ca: missing })).rejects.toThrow(missing);
  await expect(readTlsFiles({ ...paths, key: stranger.ca })).rejects.toThrow(stranger.ca);
  await expect(readTlsFiles({ ...paths, crl: stranger.crl })).rejects.toThrow(stranger.crl);
  await expect(readTlsFiles({ ...paths, ca: authority.server().cert })).rejects.toThrow(
    'authority',
  );
});
