/** The command line against a running adapter: behaviour that people and scripts rely on. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newDeviceMessageId } from '../../src/contract/index.js';
import {
  eventually,
  startTestAdapter,
  type TestAdapter,
  triggerEvent,
} from '../support/adapter.js';
import { eventBytes, type TestVehicle, vehicleOf } from '../support/messages.js';
import { connectVehicle, type MqttVehicle } from '../support/mqtt-vehicle.js';
import { otaops } from '../support/process.js';
import { runCommand } from '../support/run-command.js';
import { temporaryDirectory } from '../support/servers.js';

const VEHICLES = [1, 2, 3].map((n) => vehicleOf(n, 'CLY')) as [TestVehicle, ...TestVehicle[]];
const [ALICE] = VEHICLES;
const folder = temporaryDirectory('cli-commands');
const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

let t: TestAdapter;
let link: MqttVehicle;
beforeAll(async () => {
  t = await startTestAdapter();
});
afterAll(async () => {
  await link.end();
  await t.stop();
});

const environment = () => ({ OTAOPS_URL: t.adapter.httpUrl, OTAOPS_TOKEN: t.token });
const run = (...args: string[]) => runCommand(args, environment());
async function json(...args: string[]): Promise<any> {
  const { code, output, stdout } = await run(...args, '--json');
  expect(code, output).toBe(0);
  return JSON.parse(stdout) as unknown;
}
const report = (refId: string, status: 'downloading' | 'download_fail') =>
  link.send(
    eventBytes(ALICE, {
      messageId: newDeviceMessageId(),
      correlationId: '',
      refId,
      status,
      timestamp: Math.floor(Date.now() / 1000),
      meta: [{ key: 'reason', value: 'Network Failure' }],
    }),
  );

test('vehicles import: valid lines are imported, invalid ones reported by line number, exit code 1', async () => {
  const rows = VEHICLES.map(
    ({ vin, systemId }) => `${vin},${systemId},d1,TCU,m,credential-of-${vin}`,
  );
  const path = file(
    'vehicles.csv',
    ['vin,system_id,device_id,ecu_type,model,credential', ...rows, 'NO-VIN,x,,,,'].join('\n'),
  );
  const { code, output } = await run('vehicles', 'import', path);
  expect(output).toMatch(/3 created, 0 updated, 1 rejected/);
  expect(output).toMatch(/line 5: INVALID vin must be 17/);
  expect(code).toBe(1);
  link = await connectVehicle(t.adapter.mqttUrl, ALICE);
  expect(await json('vehicles', 'list')).toHaveLength(3);
  const registered = await json('vehicles', 'register', '5YJSA1E40FF345678', '--system-id', 's9');
  expect(registered.credential).toMatch(/^\S{24}$/);
  await run('vehicles', 'remove', '5YJSA1E40FF345678');
  expect((await run('vehicles', 'import', join(folder, 'nowhere.csv'))).output).toMatch(/ENOENT/);
});

test('vehicles import: equal errors are reported once, with their line numbers', async () => {
  const good = vehicleOf(9, 'CLY');
  const rows = Array.from({ length: 1_500 }, (_, n) => (n === 3 ? good.vin : `NO-VIN-${n}`));
  const path = file('faults.csv', ['vin,system_id', ...rows.map((vin) => `${vin},s`)].join('\n'));
  const { code, output } = await run('vehicles', 'import', path);
  expect(code).toBe(1);
  expect(output).toMatch(/1 created, 0 updated, 1499 rejected/);
  expect(output).toMatch(/reasons of the first 1000 rejected lines:/);
  expect(output).toMatch(/^ {2}1000 lines \(2-4, 6-1002\): INVALID vin must be 17/m);
  expect(output).toMatch(/1499 lines were rejected; the others are imported/);
  expect(output.split('\n').length).toBeLessThan(10);
  await run('vehicles', 'remove', good.vin);
});

describe('trigger', () => {
  const flags = ['--model', 'm', '--script', 's'];

  test.each([
    [
      'CSV with a header',
      'a.csv',
      () => `name,vin\n${VEHICLES.map(({ vin }) => `x,${vin}`).join('\n')}`,
    ],
    ['CSV without a header', 'b.csv', () => VEHICLES.map(({ vin }) => vin).join('\r\n')],
    ['a JSON array', 'c.json', () => JSON.stringify(VEHICLES.map(({ vin }) => vin))],
  ])('takes VINs from %s', async (_what, name, text) => {
    const path = file(name, text());
    const answer = await json('trigger', '-f', path, '--ref-id', name, ...flags);
    expect(answer).toMatchObject({ 'ref-id': name, accepted: 3, rejectedCount: 0 });
  });

  test('takes a whole event', async () => {
    const event = triggerEvent(
      'event',
      VEHICLES.map(({ vin }) => vin),
    );
    const answer = await json('trigger', '-f', file('event.json', JSON.stringify(event)));
    expect(answer).toMatchObject({ 'ref-id': 'event', accepted: 3 });
  });

  test('sets priority, rate and ttl', async () => {
    const args = [
      '--ref-id',
      'how',
      ...flags,
      '--priority',
      '3',
      '--rate',
      '5',
      '--ttl',
      '60',
      '--no-ack',
    ];
    await json('trigger', ALICE.vin, ...args);
    expect(await json('operations', 'show', 'how')).toMatchObject({
      priority: 3,
      rate: { perSecond: 5 },
      ttl: 60,
      ack_required: '0',
    });
  });

  test.each([
    ['a bad VIN', ['X', '--ref-id', 'x', ...flags], 3, /\/body\/vins\/0/],
    ['a file that is not there', ['-f', 'nowhere'], 1, /ENOENT.*nowhere/],
    ['invalid JSON', ['-f', file('bad.json', '{')], 1, /bad\.json is not JSON/],
  ])('reports %s, with its exit code', async (_what, args, expected, message) => {
    const { code, output } = await run('trigger', ...args);
    expect(output).toMatch(message);
    expect(code).toBe(expected);
  });
});

test('operations: list, show, summary, vehicles, vehicle, export, audit', async () => {
  await report('event', 'downloading');
  await report('event', 'download_fail');
  const list = await json('operations', 'list');
  expect(list.map((operation: Record<string, string>) => operation['ref-id'])).toContain('event');
  expect((await run('operations', 'show', 'event', '--once')).output).toMatch(/event: 3 vehicles/);
  expect((await run('operations', 'summary', 'event')).output).toMatch(/Network Failure/);
  const failed = await json('operations', 'vehicles', 'event', '--state', 'download_fail');
  expect(failed).toMatchObject([{ vin: ALICE.vin, reason: 'Network Failure' }]);
  expect((await run('operations', 'vehicle', 'event', ALICE.vin)).output).toMatch(
    /delivery {2}attempt 1 sent[\s\S]*event {5}download_fail reason=Network Failure/,
  );
  const path = join(folder, 'export.csv');
  expect((await run('operations', 'export', 'event', '-o', path)).code).toBe(0);
  expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(4);
  const lines = (await run('operations', 'export', 'event', '--format', 'ndjson')).output.trim();
  expect(lines.split('\n').map((line) => (JSON.parse(line) as { vin: string }).vin)).toEqual(
    VEHICLES.map(({ vin }) => vin),
  );
  expect(await json('vehicles', 'find', ALICE.vin)).not.toHaveLength(0);
});

test('operations: pause, resume, change, retrigger, cancel, and their audit log', async () => {
  const why = ['--reason', 'ticket 4711'];
  expect(await json('operations', 'pause', 'event', ...why)).toMatchObject({ status: 'paused' });
  expect(await json('operations', 'resume', 'event', ...why)).toMatchObject({ status: 'active' });
  const growth = ['--rate', '2', '--factor', '2', '--after', '100', '--of', 'succeeded'];
  expect(await json('operations', 'change', 'event', ...growth)).toMatchObject({
    rate: { perSecond: 2, factor: 2, after: 100, of: 'succeeded' },
  });
  expect(await json('operations', 'change', 'event', '--no-rate')).toMatchObject({ rate: null });
  expect(await json('operations', 'retrigger', 'event', '--state', 'download_fail')).toEqual({
    retriggered: 1,
  });
  expect((await run('operations', 'cancel', 'event', ...why)).output).toMatch(
    /were already triggered and may still update/,
  );
  const audit = await json('operations', 'audit', 'event');
  expect(audit.map(({ action }: { action: string }) => action)).toEqual([
    'cancel',
    'retrigger',
    'change',
    'change',
    'resume',
    'pause',
    'export-vehicles',
    'export-vehicles',
    'trigger',
  ]);
  expect((await run('operations', 'pause', 'event')).code).toBe(3);
  expect(await run('operations', 'show', 'nothing')).toMatchObject({ code: 3 });
});

test('events: from the start, and with --follow', async () => {
  const { output } = await run('events', '--ref-id', 'event', '--json');
  expect(
    output
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as Record<string, string>)['status-name']),
  ).toEqual(['downloading', 'download_fail']);
  const following = otaops(['events', '--follow', '--after', '0'], environment());
  await following.says(/download_fail {2}reason=Network Failure/);
  await report('a.csv', 'downloading');
  await following.says(/a\.csv {2}\S+ {2}downloading/);
  following.child.kill('SIGINT');
  expect(await following.ended).toBe(0);
});

test('dead letters: listed and replayed', async () => {
  await link.send('no message at all');
  await eventually(
    async () => json('dead-letters', 'list'),
    (letters: unknown[]) => letters.length === 1,
  );
  const table = (await run('dead-letters', 'list')).output;
  expect(table).toMatch(/^id +received +vin +system_id +status +reason +path +detail\n/);
  // It has no VIN: its vehicle is that of its topic.
  expect(table).toMatch(new RegExp(`  -  +${ALICE.systemId}  +INVALID  +NOT_JSON `));
  const [{ id }] = await json('dead-letters', 'list', '--code', 'NOT_JSON');
  // A repeated rejection is a failure, for scripts too.
  const one = await run('dead-letters', 'replay', id, '--reason', 'a try', '--json');
  expect(one.code).toBe(1);
  expect(JSON.parse(one.stdout)).toEqual({ outcome: 'refused', reason: 'NOT_JSON' });
  for (const which of [['--code', 'NOT_JSON'], ['--all']]) {
    const all = await run('dead-letters', 'replay', ...which);
    expect(all.output).toMatch(/0 applied, 0 duplicates, 1 refused again/);
    expect(all.code).toBe(1);
  }
  expect(await run('dead-letters', 'replay', '--code', 'EXPIRED')).toMatchObject({ code: 0 });
  // A refusal of an earlier test may be logged at any moment, so not only the newest entry is examined.
  const audit = await json('operations', 'audit', '--limit', '100');
  expect(audit).toContainEqual(
    expect.objectContaining({ action: 'replay-dead-letters', reason: 'a try' }),
  );
});

test('call-backs, global rate limit, and doctor', async () => {
  const added = await json('callbacks', 'add', 'carota', 'https://carota.example/events');
  expect(added.secret).toMatch(/^whsec_/);
  expect(await json('callbacks', 'change', 'carota', '--off')).toMatchObject({ enabled: false });
  expect(await json('callbacks', 'replay', 'carota', '--after', '0')).toMatchObject({
    position: 0,
  });
  expect((await run('callbacks', 'list')).output).toMatch(/carota\s+https:\/\/carota\.example/);
  expect((await run('callbacks', 'add', 'x', 'http://127.0.0.1/')).code).toBe(3);
  expect((await run('callbacks', 'remove', 'carota')).code).toBe(0);
  expect(await json('rate', '500')).toEqual({ triggersPerSecond: 500 });
  expect((await run('rate', 'none')).output).toBe('no limit\n');
  const healthy = await run('doctor', '--mqtt-url', t.adapter.mqttUrl);
  expect(healthy.output).toMatch(/ok {3}adapter: database up, message link up/);
  expect(healthy.code).toBe(0);
  const sick = await run('doctor', '--mqtt-url', 'mqtt://127.0.0.1:1');
  expect(sick.output).toMatch(/BAD {2}MQTT broker/);
  expect(sick.code).toBe(1);
});

test('an unreachable adapter and a rejected token have distinct exit codes', async () => {
  expect(await run('operations', 'list', '--url', 'http://127.0.0.1:1')).toMatchObject({
    code: 4,
    output: expect.stringMatching(/http:\/\/127\.0\.0\.1:1 does not answer/) as string,
  });
  expect((await run('operations', 'list', '--token', 'x')).code).toBe(3);
});

test('the help of each command has examples', async () => {
  for (const args of [
    ['trigger'],
    ['operations', 'show'],
    ['events'],
    ['dead-letters', 'replay'],
  ]) {
    expect((await run(...args, '--help')).output).toMatch(/Examples?:\n {2}\S+/);
  }
});
