/**
 * The agent manages its own certificate: enrolment, rotation and revocation while it continuously reports events, and
 * interruptions at each step. Both servers are real; no event is lost or counted twice.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newDeviceMessageId } from '../../src/contract/index.js';
import {
  CertificateStore,
  ClientTls,
  EnrolmentRefused,
  EstClient,
  MqttLink,
  OwnCertificate,
  renewalTime,
  type StoredCertificate,
} from '../../src/vehicle/index.js';
import {
  type AdapterDouble,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from '../carota/support/test-carota.js';
import { eventually, startTestAdapter, type TestAdapter } from '../support/adapter.js';
import { eventBytes, type TestVehicle, vehicleOf } from '../support/messages.js';
import { OpensslAuthority } from '../support/openssl-authority.js';
import { byDepth } from '../support/depth.js';
import { temporaryDirectory } from '../support/servers.js';

const VALIDITY_SECONDS = byDepth({ quick: 14, full: 20 });
const PAUSE_BETWEEN_EVENTS_MS = byDepth({ quick: 200, full: 10 });
const servers = new OpensslAuthority('Servers');
const enrolmentCa = join(temporaryDirectory('enrolment'), 'authority');
let double: AdapterDouble;
let carota: TestCarota;
let adapter: TestAdapter;
beforeAll(async () => {
  const { cert, key } = servers.server();
  double = await startAdapterDouble();
  carota = await startTestCarota(double.url, {
    vehiclePort: 0,
    vehicleTls: { cert, key, ca: undefined },
    enrolmentCa,
    certificateDays: VALIDITY_SECONDS / 86_400,
  });
  // The adapter uses the revocation list of the CarOTA Server's authority.
  const [ca, crl] = [join(enrolmentCa, 'ca.pem'), join(enrolmentCa, 'crl.pem')];
  adapter = await startTestAdapter({
    mqttsPort: 0,
    vehicleTls: { cert, key, ca, crl },
    // The load of one vehicle lasts as long as the certificate changes.
    messageBudget: { burst: 0, perHour: 1 },
  });
});
afterAll(async () => {
  await adapter.stop();
  await carota.stop();
  await double.stop();
});

let number = 0;
async function newVehicle(): Promise<TestVehicle> {
  const vehicle = vehicleOf(++number, 'RTN');
  await adapter.register(vehicle);
  const facts = { model: MODEL, system_id: vehicle.systemId };
  await carota.call('PUT', `/v1.0/vehicles/${vehicle.vin}`, { body: facts });
  return vehicle;
}
const codeFor = async ({ vin }: TestVehicle): Promise<string> =>
  (await carota.call('POST', `/v1.0/vehicles/${vin}/enrolment-codes`)).body.code;

function agentOf(
  { systemId }: TestVehicle,
  code: string | undefined,
  directory: string,
  onRenewed: (certificate: StoredCertificate) => void = () => undefined,
) {
  const tls = new ClientTls({ ca: readFileSync(servers.ca, 'utf8') });
  const url = new URL(carota.carota.vehicleUrl ?? '');
  const client = new EstClient({ url, systemId, tls, code });
  const store = new CertificateStore(directory);
  const own = new OwnCertificate({
    store,
    client,
    tls,
    systemId,
    clock: Date.now,
    onRenewed,
    pauseMs: 50,
  });
  const link = new MqttLink({ url: adapter.adapter.mqttsUrl ?? '', systemId, tls });
  return { tls, client, store, own, link };
}
const up = (link: MqttLink) =>
  new Promise<void>((resolve) => link.open({ onMessage: () => undefined, onUp: resolve }));
const serialOf = ({ cert }: StoredCertificate) => new X509Certificate(cert).serialNumber;

test('enrolment, two rotations and a revocation under load: no event is lost or counted twice', async () => {
  const vehicle = await newVehicle();
  const refId = 'rotation';
  await adapter.trigger(refId, [vehicle.vin]);
  const certificates: StoredCertificate[] = [];
  const first = agentOf(vehicle, await codeFor(vehicle), temporaryDirectory('rotation'), (one) =>
    certificates.push(one),
  );
  await first.own.start();
  await up(first.link);

  const sent = new Map<string, Buffer>();
  const unacknowledged = new Set<string>();
  let isOver = false;
  const report = async (link: MqttLink, messageId: string, bytes: Buffer) => {
    sent.set(messageId, bytes);
    unacknowledged.add(messageId);
    await link.publish(bytes).then(
      () => unacknowledged.delete(messageId),
      () => undefined,
    );
  };
  const load = Array.from({ length: 4 }, async () => {
    while (!isOver) {
      const messageId = newDeviceMessageId();
      await report(
        first.link,
        messageId,
        eventBytes(vehicle, {
          refId,
          messageId,
          correlationId: '',
          status: 3,
          timestamp: Date.now(),
        }),
      );
      await new Promise((resolve) => setTimeout(resolve, PAUSE_BETWEEN_EVENTS_MS));
    }
  });
  await eventually(
    () => Promise.resolve(certificates.length),
    (renewals) => renewals >= 3,
    120_000,
  );
  const [, , newest] = certificates;
  expect(new Set(certificates.map(serialOf)).size).toBe(certificates.length);
  expect(new Set(certificates.map(({ key }) => key)).size).toBe(certificates.length);
  // The link continues with the new certificate: messages arrive while the previous certificates are revoked.
  const revoke = (certificate: StoredCertificate) =>
    carota.call('PUT', `/v1.0/revoked-certificates/${serialOf(certificate)}`, {
      body: { reason: 'test' },
    });
  for (const old of certificates.slice(0, -1)) await revoke(old);
  const before = sent.size;
  await eventually(
    () => Promise.resolve(sent.size - unacknowledged.size),
    (acknowledged) => acknowledged > before + 20,
  );
  await first.own.stop();
  expect(newest).toBeDefined();

  // Revoking the certificate in use ends the connection to the adapter for good.
  for (const certificate of certificates) await revoke(certificate);
  await eventually(
    () => Promise.resolve(first.link.isUp),
    (isUp) => !isUp,
  );
  isOver = true;
  await first.link.close();
  await Promise.all(load);
  await expect(first.client.request(first.store.pendingKey())).rejects.toThrow();

  // A workshop enrols the vehicle again; unacknowledged messages are sent again.
  const second = agentOf(vehicle, await codeFor(vehicle), temporaryDirectory('workshop'));
  await second.own.start();
  await up(second.link);
  for (const messageId of [...unacknowledged]) {
    await report(second.link, messageId, sent.get(messageId) ?? Buffer.alloc(0));
  }
  expect(unacknowledged.size).toBe(0);
  await second.own.stop();
  await second.link.close();
  await adapter.storedMessages();
  expect(await adapter.metric('otaops_messages_applied_total')).toBe(sent.size);
  expect(await adapter.metric('otaops_messages_dead_letter_total')).toBe(0);
});

test('after an interruption at any step, the next start continues with the same key or certificate', async () => {
  const vehicle = await newVehicle();
  const directory = temporaryDirectory('steps');
  const code = await codeFor(vehicle);
  const { systemId } = vehicle;
  const keyText = (agent: ReturnType<typeof agentOf>) =>
    agent.store.pendingKey().export({ type: 'pkcs8', format: 'pem' });

  // 1. Killed after storing the key. 2. Killed after the answer, before storing it.
  const key = keyText(agentOf(vehicle, code, directory));
  const asking = agentOf(vehicle, code, directory);
  expect(keyText(asking)).toBe(key);
  await asking.client.request(asking.store.pendingKey());
  // The code is used now, but still valid for this key.
  const enrolling = agentOf(vehicle, code, directory);
  await enrolling.own.start();
  await enrolling.own.stop();
  expect(enrolling.tls.material.key).toBe(key);

  // 3. Killed between storing the certificate and removing the pending key.
  writeFileSync(join(directory, 'pending.key'), key);
  const next = agentOf(vehicle, undefined, directory);
  expect(next.tls.material.key).toBe(key);
  expect(keyText(next)).not.toBe(key);

  // 4. Killed during renewal: the old certificate is used until the new one is complete.
  const der = await next.client.request(next.store.pendingKey());
  const old = agentOf(vehicle, undefined, directory);
  expect(old.tls.material.key).toBe(key);
  await up(old.link);
  await old.link.close();
  const renewed = old.store.complete(der, systemId);
  expect(renewed.key).not.toBe(key);
  expect(agentOf(vehicle, undefined, directory).tls.material.key).toBe(renewed.key);
});

test('a certificate for another key or another vehicle replaces nothing', async () => {
  const [own, other, third] = [await newVehicle(), await newVehicle(), await newVehicle()];
  const directory = temporaryDirectory('foreign');
  const agent = agentOf(own, await codeFor(own), directory);
  await agent.own.start();
  await agent.own.stop();
  const stored = agent.store.read();
  const foreign = agentOf(other, await codeFor(other), temporaryDirectory('other'));
  const der = await foreign.client.request(foreign.store.pendingKey());
  expect(() => agent.store.complete(der, own.systemId)).toThrow('another key');
  // The vehicle's own key with another vehicle's name.
  const { client } = agentOf(third, await codeFor(third), temporaryDirectory('third'));
  const named = await client.request(agent.store.pendingKey());
  expect(() => agent.store.complete(named, own.systemId)).toThrow(`not for ${own.systemId}`);
  expect(agent.store.read()).toEqual(stored);
});

test('a start with a wrong code, or without code and certificate, fails with the reason', async () => {
  const vehicle = await newVehicle();
  const wrong = agentOf(vehicle, 'AAAA-BBBB', temporaryDirectory('wrong'));
  await expect(wrong.own.start()).rejects.toThrow(EnrolmentRefused);
  const none = agentOf(vehicle, undefined, temporaryDirectory('none'));
  await expect(none.own.start()).rejects.toThrow('neither a certificate nor');
});

test('renewal is due when two thirds of the validity are over', () => {
  expect(renewalTime({ cert: '', key: '', notBefore: 3_000, notAfter: 9_000 })).toBe(7_000);
});
