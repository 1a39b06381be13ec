/** Settings: an unknown or invalid one aborts the start with a clear message. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hasTurn, isFullDepth } from '../support/depth.js';
import { firstToken, otaops } from '../support/process.js';
import { runCommand } from '../support/run-command.js';
import { temporaryDirectory } from '../support/servers.js';

const end = (args: string[], environment: Record<string, string> = {}) =>
  runCommand(args, { OTAOPS_DATA_DIR: temporaryDirectory('cli'), ...environment });

test.each<[string, string[], Record<string, string>, RegExp, number?]>([
  ['a port that is none', ['serve', '--http-port', '99999'], {}, /--http-port.*0 to 65535/s],
  ['a bad variable', ['serve'], { OTAOPS_MQTT_PORT: 'x' }, /OTAOPS_MQTT_PORT.*0 to 65535/s],
  ['an unknown variable', ['serve'], { OTAOPS_HTP_PORT: '1' }, /unknown setting OTAOPS_HTP_PORT/],
  ['an unknown flag', ['serve', '--colour'], {}, /unknown option '--colour'/],
  [
    'an invalid database URL',
    ['serve', '--database-url', 'mysql://x'],
    {},
    /--database-url.*must be a URL with postgres:/s,
  ],
  ['a broker that is none', ['serve'], { OTAOPS_MQTT_URL: 'x' }, /OTAOPS_MQTT_URL.*mqtts:/s],
  [
    'a broker list with an empty host',
    ['serve', '--mqtt-url', 'mqtt://a:1883,,c:1883'],
    {},
    /--mqtt-url.*'' is not a host/s,
  ],
  [
    'a broker with an invalid port',
    ['serve', '--mqtt-url', 'mqtt://user:secret@a:1883,b:70000'],
    {},
    /--mqtt-url.*'b:70000' needs a port from 1 to 65535/s,
  ],
  ['an instance that is no name', ['serve', '--instance', 'a b'], {}, /--instance.*letters/s],
  [
    'an unreachable database',
    ['serve', '--database-url', 'postgres://127.0.0.1:1/x'],
    {},
    /otaops: .*ECONNREFUSED 127\.0\.0\.1:1/,
    1,
  ],
  ['an unknown command', ['serv'], {}, /unknown command 'serv'.*Did you mean serve/s],
  ['a bad topic', ['serve', '--c2d-topic', 'x/{vin}'], {}, /topic template 'x\/\{vin\}'/],
])('%s is reported', async (_name, args, environment, message, expected = 2) => {
  const { code, output } = await end(args, environment);
  expect(output).toMatch(message);
  expect(code).toBe(expected);
});

test('the help lists each setting with its variable', async () => {
  const { code, output } = await end(['serve', '--help']);
  expect(code).toBe(0);
  for (const name of ['HTTP_PORT', 'MQTT_PORT', 'HOST', 'DATA_DIR']) {
    expect(output).toContain(`OTAOPS_${name}`);
  }
});

// Ownership of a data directory has its own tests (service/database/embedded.test.ts).
test.runIf(isFullDepth)('two adapters cannot share a data directory', async () => {
  const dataDir = temporaryDirectory('twice');
  const args = ['serve', '--http-port', '0', '--mqtt-port', '0', '--data-dir', dataDir];
  const first = otaops(args);
  await first.says(/HTTP interface/);
  const second = await end(args);
  expect(second.output).toMatch(/is in use by process \d+/);
  expect(second.code).toBe(1);
  first.child.kill('SIGINT');
  expect(await first.ended).toBe(0);
});

test.runIf(hasTurn(1))(
  'tokens can be created over HTTP, and offline while no adapter runs',
  async () => {
    const dataDir = temporaryDirectory('tokens');
    const serve = otaops(['serve', '--http-port', '0', '--mqtt-port', '0', '--data-dir', dataDir]);
    const [, url = ''] = await serve.says(/HTTP interface\s+(http:\S+)/);
    const create = (role: string, name: string) => [
      'token',
      'create',
      '--role',
      role,
      '--name',
      name,
    ];
    const common = ['--data-dir', dataDir];
    const made = await end([...create('viewer', 'a'), '--url', url, ...common]);
    expect(made.output).toMatch(/^otaops_\S+\n$/);
    serve.child.kill('SIGTERM');
    await serve.ended;
    const offline = await end([...create('admin', 'b'), '--offline', ...common]);
    expect(offline.output).toMatch(/^otaops_\S+\n$/);
    const { output } = await end(['token', 'list', '--offline', ...common]);
    expect(output).toMatch(/viewer\s+a  \(never used\)\n/);
    expect(output).toMatch(/admin\s+b  \(never used\)\n/);
    const planner = await end([...create('planner', 'c'), '--offline', ...common]);
    expect(planner.output).toMatch(/database of an adapter: --role must be one of carota, viewer/);
    expect(planner.code).toBe(2);
  },
);

test.runIf(isFullDepth)(
  'tokens of a CarOTA Server can be created offline too, without touching another database',
  async () => {
    const dataDir = temporaryDirectory('carota-tokens');
    const folder = join(dataDir, 'carota');
    const create = (role: string) => [
      'token',
      'create',
      '--role',
      role,
      '--name',
      role,
      '--offline',
    ];
    const nowhere = await end([...create('vehicle'), '--data-dir', folder]);
    expect(nowhere.output).toMatch(/there is no folder .*: is --data-dir right\?/);
    expect(existsSync(folder)).toBe(false);
    const unused = await end([...create('vehicle'), '--data-dir', dataDir]);
    expect(unused.output).toMatch(/no adapter or CarOTA Server has used/);

    const carota = ['carota', '--http-port', '0', '--data-dir', folder];
    const server = otaops(carota);
    const first = await firstToken(server);
    server.child.kill('SIGTERM');
    await server.ended;
    // A vehicle's token belongs to one vehicle.
    const shared = await end([...create('vehicle'), '--data-dir', folder]);
    expect(shared.output).toMatch(/name its VIN/);
    const ofVehicle = [...create('vehicle'), '--vin', '5YJSA1E40FF345678'];
    const vehicle = await end([...ofVehicle, '--data-dir', folder]);
    expect(vehicle.output).toMatch(/^otaops_\S+\n$/);
    const operator = await end([...create('operator'), '--data-dir', folder]);
    expect(operator.output).toMatch(/database of a CarOTA Server: --role must be one of viewer/);
    expect(operator.code).toBe(2);
    // The database is intact: the server starts on it, and both tokens are valid.
    const again = otaops(carota);
    const [, url = ''] = await again.says(/HTTP interface\s+(http:\S+)/);
    const list = await end(['token', 'list', '--url', url, '--token', first]);
    expect(list.output.split('\n').filter((line) => line.includes('  vehicle '))).toHaveLength(1);
    const fetched = await end(['token', 'list', '--url', url, '--token', vehicle.output.trim()]);
    expect(fetched.output).toMatch(/role vehicle/);
    again.child.kill('SIGTERM');
    await again.ended;
  },
);
