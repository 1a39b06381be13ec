/**
 * Failed sign-ins with certificates are in the audit logs of both servers, by address and by the name in the
 * certificate.
 */
import { readFileSync } from 'node:fs';
import mqtt from 'mqtt';
import { expect, test } from 'vitest';
import { eventually, startTestAdapter } from '../../support/adapter.js';
import { vehicleOf, vinOf } from '../../support/messages.js';
import { OpensslAuthority, type Pair, pemOf, runClient } from '../../support/openssl-authority.js';
import { MODEL, startAdapterDouble, startTestCarota } from '../../carota/support/test-carota.js';

const authority = new OpensslAuthority();
const stranger = new OpensslAuthority('Another Authority');
const tls = () => {
  const { cert, key } = authority.server();
  return { cert, key, ca: authority.ca, crl: authority.crl };
};

/** Attempts by source address: the first of each address is logged within a second. */
const failedSignIns = (
  { call }: { call: (method: 'GET', path: string) => Promise<any> },
  expected: Readonly<Record<string, string[] | undefined>>,
) =>
  eventually(
    async () => {
      const { body } = await call('GET', '/v1.0/audit?action=sign-in&outcome=refused');
      const found = body.items.filter(({ subject }: any) => subject === 'certificate');
      return Object.fromEntries(found.map(({ address, detail }: any) => [address, detail.names]));
    },
    (found) => JSON.stringify(Object.keys(found).sort()) === JSON.stringify(Object.keys(expected)),
  );

test('failures at a CarOTA Server’s vehicle port are logged', async () => {
  const adapter = await startAdapterDouble();
  const carota = await startTestCarota(adapter.url, { vehiclePort: 0, vehicleTls: tls() });
  const vin = vinOf(1, 'VPT');
  await carota.call('PUT', `/v1.0/vehicles/${vin}`, { body: { model: MODEL, system_id: 'sys-1' } });
  const curl = (from: string, pair: Pair | undefined) =>
    runClient('curl', [
      ...['-sS', '--interface', from, '--cacert', authority.ca],
      ...(pair ? ['--cert', pair.cert, '--key', pair.key] : []),
      `${carota.carota.vehicleUrl}/uptane/director/${vin}/1.root.json`,
    ]);
  await curl('127.0.0.10', authority.issue('sys-1'));
  await curl('127.0.0.11', undefined);
  await curl('127.0.0.12', stranger.issue('sys-1'));
  await curl('127.0.0.13', authority.issue('sys-nobody'));
  const expected = {
    '127.0.0.11': undefined,
    '127.0.0.12': ['CN=sys-1'],
    '127.0.0.13': ['CN=sys-nobody'],
  };
  expect(await failedSignIns(carota, expected)).toEqual(expected);
  await carota.stop();
  await adapter.stop();
});

test('failures at an OTA Adapter’s embedded broker are logged', async () => {
  const t = await startTestAdapter({ mqttsPort: 0, vehicleTls: tls() });
  const [own, other] = [vehicleOf(1, 'TLS'), vehicleOf(2, 'TLS')];
  await t.register(own);
  await t.register(other);
  const connect = (localAddress: string, pair: Pair, clientId: string) => {
    const options = { clientId, ca: readFileSync(authority.ca), ...pemOf(pair), localAddress };
    const client = mqtt.connect(t.adapter.mqttsUrl ?? '', { ...options, reconnectPeriod: 0 });
    return new Promise<string>((resolve) => {
      client.once('connect', () => resolve('connected'));
      client.once('error', () => resolve('refused'));
      client.once('close', () => resolve('refused'));
    }).finally(() => client.end(true));
  };
  const good = authority.issue(own.systemId);
  expect(await connect('127.0.0.10', good, own.systemId)).toBe('connected');
  const attempts = [
    connect('127.0.0.11', stranger.issue(own.systemId), own.systemId),
    connect('127.0.0.12', authority.issue('sys-nobody'), 'sys-nobody'),
    connect('127.0.0.13', good, other.systemId),
    connect('127.0.0.14', authority.issue('two', { subject: '/CN=a/CN=b' }), 'a'),
  ];
  expect(await Promise.all(attempts)).toEqual(attempts.map(() => 'refused'));
  const expected = {
    // Attempts refused in the handshake have no name.
    '127.0.0.11': undefined,
    '127.0.0.12': ['CN=sys-nobody'],
    '127.0.0.13': [`CN=${own.systemId}`],
    '127.0.0.14': ['CN=a, CN=b'],
  };
  expect(await failedSignIns(t, expected)).toEqual(expected);
  await t.stop();
});
