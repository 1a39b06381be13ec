/**
 * Updates with client certificates from end to end, every part a process of its own: enrolment with a one-time code,
 * MQTT and the CarOTA Server with the vehicle's own certificate, renewal while it reports, revocation in the middle of
 * a download and a new enrolment in the workshop. Afterwards the database has exactly the messages that the vehicles
 * sent, each once.
 */
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Server, startMosquittoWith } from '../../src/test-bed/index.js';
import { eventually } from '../support/adapter.js';
import { hasMosquitto } from '../support/databases.js';
import { hasTurn, isFullDepth } from '../support/depth.js';
import { vehicleOf } from '../support/messages.js';
import { OpensslAuthority, runClient } from '../support/openssl-authority.js';
import { pythonWithPaho } from '../support/python.js';
import { freePort, ifInstalled } from '../support/servers.js';
import { CertifiedServers, serialIn } from './support/certified-servers.js';

const servers = new OpensslAuthority('Servers');
const python = await ifInstalled(() => Promise.resolve(pythonWithPaho()));
const identityOf = (folder: string) => join(folder, 'identity', 'identity.pem');

/** Whether the vehicle port of the CarOTA Server answers curl with this certificate. */
async function isAccepted(vehicleUrl: string, vin: string, pem: string): Promise<boolean> {
  const { output } = await runClient('curl', [
    ...['-sS', '-o', '/dev/null', '-w', '%{http_code}', '--cacert', servers.ca, '--cert', pem],
    `${vehicleUrl}/uptane/director/${vin}/1.root.json`,
  ]);
  return output === '200';
}

interface HistoryEntry {
  readonly 'message-id'?: string;
  readonly 'status-name'?: string;
}
const eventsIn = (history: readonly HistoryEntry[]): string[] =>
  history.flatMap((entry) => entry['status-name'] ?? []);
/** Events without the progress of the download. */
const stepsIn = (history: readonly HistoryEntry[]): string[] =>
  eventsIn(history).filter((name) => name !== 'downloading');
const STEPS = [
  ...['received', 'pki_check_success', 'consent_accepted', 'downloaded', 'md5_check_success'],
  ...['reboot', 'success'],
];

/** Every message in the adapter's database is applied and stored once, and none is a dead letter. */
async function expectNothingLost({ adapter, database }: CertifiedServers): Promise<void> {
  await adapter.storedMessages();
  expect(await adapter.metric('otaops_messages_dead_letter_total')).toBe(0);
  const [row] = await database.query<{ stored: number; distinct: number }>(
    `select count(*) as stored, count(distinct (operation_id, system_id, message_id)) as distinct from messages`,
  );
  expect(row?.stored).toBe(await adapter.metric('otaops_messages_applied_total'));
  expect(row?.distinct).toBe(row?.stored);
}

// At full depth only, as renewals take long; the parts of each server and of the vehicle have their own tests.
describe.runIf(isFullDepth)('with the embedded broker', () => {
  const authority = new OpensslAuthority('Vehicles');
  const parts = new CertifiedServers({ servers, vehicles: authority });
  beforeAll(() => parts.start());
  afterAll(async () => {
    const ended = await parts.stop();
    expect(ended.filter((code) => code !== 0)).toEqual([]);
  });

  test('an update with a renewal and one with a revocation midway both succeed, and nothing is lost', async () => {
    const [renewing, robbed] = [vehicleOf(1, 'MTE'), vehicleOf(2, 'MTE')];
    for (const vehicle of [renewing, robbed]) await parts.make(vehicle);
    const slow = ['--bandwidth', '400000'];
    const first = parts.startAgent(renewing, await parts.codeFor(renewing), slow);
    // It must still be downloading when its certificate is revoked, with more to come than connections buffer.
    const crawling = ['--bandwidth', '20000'];
    const stolen = parts.startAgent(robbed, await parts.codeFor(robbed), crawling);
    await Promise.all([first, stolen].map((agent) => agent.says(/^Connected to mqtts:/m)));
    const folder = parts.folderOf(robbed.vin);
    const identity = identityOf(folder);
    expect(await isAccepted(parts.vehicleUrl, robbed.vin, identity)).toBe(true);
    const refId = 'certified 1';
    await parts.begin(refId, '1.1.0', [renewing.vin, robbed.vin], 6_000_000);

    await eventually(
      () => parts.stateOf(refId, robbed.vin),
      ({ history }) => eventsIn(history ?? []).includes('downloading'),
      180_000,
    );
    const copy = join(parts.directory, 'stolen.pem');
    copyFileSync(identity, copy);
    parts.revoke(identity);
    await parts.serve.says(/"systemId":"[^"]*","why":"is revoked by a list/);
    await eventually(
      () => isAccepted(parts.vehicleUrl, robbed.vin, copy),
      (accepted) => !accepted,
    );
    stolen.child.kill('SIGTERM');
    expect(await stolen.ended).toBe(0);
    expect(stepsIn((await parts.stateOf(refId, robbed.vin)).history)).not.toContain('downloaded');

    // In the workshop: unreported events are in its journal, and the partial download is on its disk.
    rmSync(join(folder, 'identity'), { recursive: true });
    parts.startAgent(robbed, await parts.codeFor(robbed));
    for (const { vin } of [renewing, robbed]) {
      const { history } = await eventually(
        () => parts.stateOf(refId, vin),
        ({ state }) => state === 'success',
        300_000,
      );
      expect(stepsIn(history), vin).toEqual(STEPS);
    }
    expect(serialIn(identity)).not.toBe(serialIn(copy));
    expect(await isAccepted(parts.vehicleUrl, robbed.vin, identity)).toBe(true);
    expect(await isAccepted(parts.vehicleUrl, renewing.vin, copy)).toBe(false);
    // The CarOTA Server, which shares nothing with the adapter but messages, counts the same.
    await eventually(
      async () => (await parts.carota.call('GET', '/v1.0/schedules/certified%201')).body,
      ({ status, states }) => status === 'completed' && states.success === 2,
    );

    await eventually(
      () => Promise.resolve(first.output().match(/has a new client certificate/g)?.length ?? 0),
      (renewals) => renewals >= 2,
      300_000,
    );
    const issued = await parts.carota.call('GET', `/v1.0/vehicles/${renewing.vin}/certificates`);
    expect(issued.body.items.length).toBeGreaterThanOrEqual(2);
    // It uses the new certificate: with the earlier ones revoked, the next update succeeds.
    const current = serialIn(identityOf(parts.folderOf(renewing.vin))).toLowerCase();
    for (const { serial } of issued.body.items as { serial: string }[]) {
      if (current.endsWith(serial)) continue;
      for (const server of [parts.carota, parts.adapter]) {
        const body = { reason: 'replaced' };
        await server.call('PUT', `/v1.0/revoked-certificates/${serial}`, { body });
      }
    }
    await parts.begin('certified 2', '1.2.0', [renewing.vin], 20_000);
    const { history } = await eventually(
      () => parts.stateOf('certified 2', renewing.vin),
      ({ state }) => state === 'success',
      300_000,
    );
    expect(stepsIn(history)).toEqual(STEPS);
    await expectNothingLost(parts);
  }, 900_000);

  test.skipIf(python === undefined)(
    'a vehicle in Python enrols with openssl and curl, renews its certificate under load, and loses no message',
    async () => {
      const vehicle = vehicleOf(3, 'MTE');
      const progress = 1_000;
      await parts.make(vehicle);
      const code = await parts.codeFor(vehicle);
      const folder = join(parts.directory, 'python');
      const child = spawn(
        python ?? '',
        [
          new URL('../../examples/certified_vehicle.py', import.meta.url).pathname,
          ...[parts.vehicleUrl, parts.mqttUrl.replace('mqtts://', '')],
          ...[vehicle.systemId, vehicle.vin, servers.ca, folder, String(progress)],
        ],
        { env: { PATH: process.env.PATH ?? '', ENROLMENT_CODE: code } },
      );
      let output = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
      }
      const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
      await Promise.race([
        eventually(
          () => Promise.resolve(output),
          (said) => said.includes('connected'),
        ),
        ended.then((exit) => {
          throw new Error(`ended with ${exit}: ${output}`);
        }),
      ]);
      const refId = 'in Python';
      await parts.adapter.trigger(refId, [vehicle.vin]);
      expect(await ended, output).toBe(0);
      expect(output).toContain('renewed');
      expect(serialIn(join(folder, '1.pem'))).not.toBe(serialIn(join(folder, '2.pem')));

      const acknowledged = [...output.matchAll(/^acknowledged (\S+)$/gm)].map(([, id]) => id);
      // The acknowledgement of the trigger, the progress, and five other events.
      expect(acknowledged).toHaveLength(1 + progress + 5);
      const stored = await parts.database.query<{ message_id: string }>(
        'select message_id from messages where system_id = $1',
        [vehicle.systemId],
      );
      expect(stored.map(({ message_id: id }) => id).sort()).toEqual([...acknowledged].sort());
      expect((await parts.stateOf(refId, vehicle.vin)).state).toBe('success');
      await expectNothingLost(parts);

      // Once its certificate is revoked, the CarOTA Server no longer answers it.
      parts.revoke(join(folder, '2.pem'));
      const pem = join(folder, 'both.pem');
      const both = ['2.pem', '2.key'].map((name) => readFileSync(join(folder, name), 'utf8'));
      writeFileSync(pem, both.join('\n'));
      await eventually(
        () => isAccepted(parts.vehicleUrl, vehicle.vin, pem),
        (accepted) => !accepted,
      );
    },
  );
});

const isTurn = hasTurn(2) && hasMosquitto();

describe.runIf(isTurn)('with Mosquitto and its use_identity_as_username', () => {
  const authority = new OpensslAuthority('Vehicles');
  let broker: Server;
  let brokerFolder: string;
  let parts: CertifiedServers;
  beforeAll(async () => {
    const adapters = new OpensslAuthority('Adapters');
    const adapterPort = await freePort();
    const { cert, key } = servers.server();
    broker = await startMosquittoWith(({ directory, port }) => {
      brokerFolder = directory;
      const file = (path: string) => new URL(`../../deploy/mosquitto/${path}`, import.meta.url);
      const install = (from: string | URL, name: string) => {
        copyFileSync(from, join(directory, name));
        chmodSync(join(directory, name), 0o644);
      };
      install(authority.ca, 'vehicle-ca.pem');
      install(authority.crl, 'vehicle-crl.pem');
      install(adapters.ca, 'adapter-ca.pem');
      install(cert, 'broker.pem');
      install(key, 'broker.key');
      for (const acl of ['acl-vehicles', 'acl-adapters']) install(file(acl), acl);
      return readFileSync(file('certificates.conf'), 'utf8')
        .replaceAll('/mosquitto/config/', `${directory}/`)
        .replace('/mosquitto/data/', `${directory}/`)
        .replace('listener 8883', `listener ${port} 127.0.0.1`)
        .replace('listener 8884', `listener ${adapterPort} 127.0.0.1`);
    });
    const own = adapters.issue('otaops-adapter');
    parts = new CertifiedServers({
      servers,
      vehicles: authority,
      broker: {
        flags: [
          ...['--mqtt-url', `mqtts://127.0.0.1:${adapterPort}`, '--mqtt-ca', servers.ca],
          ...['--mqtt-cert', own.cert, '--mqtt-key', own.key],
        ],
        url: broker.url.replace('mqtt:', 'mqtts:'),
      },
    });
    await parts.start();
  });
  afterAll(async () => {
    const ended = await parts.stop();
    await broker.stop();
    expect(ended.filter((code) => code !== 0)).toEqual([]);
  });

  test('a vehicle enrols and updates, and is refused once its certificate is revoked', async () => {
    const vehicle = vehicleOf(4, 'MTE');
    await parts.make(vehicle);
    const agent = parts.startAgent(vehicle, await parts.codeFor(vehicle));
    await agent.says(/^Connected to mqtts:/m);
    await parts.begin('on Mosquitto', '1.1.0', [vehicle.vin], 20_000);
    const { history } = await eventually(
      () => parts.stateOf('on Mosquitto', vehicle.vin),
      ({ state }) => state === 'success',
      300_000,
    );
    expect(stepsIn(history)).toEqual(STEPS);
    await expectNothingLost(parts);

    agent.child.kill('SIGTERM');
    expect(await agent.ended).toBe(0);
    const identity = identityOf(parts.folderOf(vehicle.vin));
    expect(existsSync(identity)).toBe(true);
    parts.revoke(identity);
    copyFileSync(authority.crl, join(brokerFolder, 'vehicle-crl.pem'));
    process.kill(broker.pid, 'SIGHUP');
    await eventually(
      () => isAccepted(parts.vehicleUrl, vehicle.vin, identity),
      (accepted) => !accepted,
    );
    const again = parts.startAgent(vehicle, undefined);
    await again.says(/No connection to mqtts:/);
    expect(again.output()).not.toContain('Connected to mqtts:');
  });
});
