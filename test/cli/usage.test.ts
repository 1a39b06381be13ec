/** An invalid argument is named and causes exit code 2, without a request to the server. */
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { DEAD_LETTER_REASONS } from '../../src/contract/index.js';
import { runCommand } from '../support/run-command.js';
import { temporaryDirectory } from '../support/servers.js';

/** Answers every request with success and counts them: none must arrive. */
let server: Server;
let requests = 0;
beforeAll(async () => {
  server = createServer((_request, response) => {
    requests += 1;
    response.setHeader('content-type', 'application/json').end('{"items":[],"nextCursor":null}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => server.close());
beforeEach(() => {
  requests = 0;
});

const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const wrong = (...args: string[]) =>
  runCommand(args, { OTAOPS_URL: url(), OTAOPS_TOKEN: 'otaops_x' });

const TRIGGER = ['trigger', '5YJSA1E40FF345678', '--ref-id', 'r', '--model', 'm', '--script', 's'];
const CHANGE = ['operations', 'change', 'r'];
/** Texts that are not numbers, though some parsers accept them. */
const NO_NUMBERS = ['5OO', '', ' ', '1e3', '0x10', 'NaN', 'Infinity', '1,5', '5 '];

test.each(NO_NUMBERS)('%j is rejected by every numeric argument', async (text) => {
  for (const [args, name] of [
    [['rate', text], 'per-second'],
    [[...TRIGGER, '--rate', text], '--rate'],
    [[...TRIGGER, '--priority', text], '--priority'],
    [[...TRIGGER, '--ttl', text], '--ttl'],
    [[...CHANGE, '--rate', text], '--rate'],
    [[...CHANGE, '--priority', text], '--priority'],
    [[...CHANGE, '--rate', '1', '--factor', text], '--factor'],
    [[...CHANGE, '--rate', '1', '--after', text], '--after'],
    [[...CHANGE, '--rate', '1', '--at-most', text], '--at-most'],
    [['callbacks', 'add', 'n', 'https://x.example/', '--after', text], '--after'],
    [['callbacks', 'replay', 'n', '--after', text], '--after'],
    [['events', '--after', text], '--after'],
    [['operations', 'list', '--limit', text], '--limit'],
    [['serve', '--http-port', text], '--http-port'],
    [['serve', '--retry-first', text], '--retry-first'],
    [['serve', '--trace-ratio', text], '--trace-ratio'],
    [['serve', '--trigger-ttl', text], '--trigger-ttl'],
    [['simulate', '--vehicles', text], '--vehicles'],
    [['bench', '--bench-rounds', text], '--bench-rounds'],
  ] as const) {
    const { code, output } = await wrong(...args);
    expect(output, args.join(' ')).toContain(name);
    expect(code, args.join(' ')).toBe(2);
  }
  expect(requests).toBe(0);
});

test.each<[name: string, args: readonly string[]]>([
  ['per-second', ['rate', '0']],
  ['per-second', ['rate', '1000001']],
  ['--priority', [...CHANGE, '--priority', '11']],
  ['--priority', [...CHANGE, '--priority', '1.5']],
  ['--factor', [...CHANGE, '--rate', '1', '--factor', '0.5']],
  ['--of', [...CHANGE, '--rate', '1', '--of', 'finished']],
  ['--ttl', [...TRIGGER, '--ttl', '-2']],
  ['--state', ['operations', 'vehicles', 'r', '--state', 'sucess']],
  ['--state', ['operations', 'export', 'r', '--state', 'sucess']],
  ['--state', ['operations', 'retrigger', 'r', '--state', 'sucess']],
  ['--format', ['operations', 'export', 'r', '--format', 'xml']],
  ['--status', ['dead-letters', 'list', '--status', 'LOST']],
  ['--code', ['dead-letters', 'replay', '--code', 'VEHICLE_NOT_REGISTRED']],
  ['--from', ['dead-letters', 'list', '--from', 'yesterday']],
  ['--to', ['dead-letters', 'replay', '--to', '2026-13-01T00:00:00Z']],
  ['--vin', ['dead-letters', 'list', '--vin', 'X']],
  ['--since', ['events', '--since', '8 o’clock']],
  ['--since', ['callbacks', 'replay', 'n', '--since', 'now']],
  ['--url', ['operations', 'list', '--url', 'adapter:8080']],
  ['--mqtt-url', ['doctor', '--mqtt-url', 'broker']],
  ['--role', ['token', 'create', '--name', 'n', '--role', 'god']],
  ['--role', ['token', 'create', '--name', 'n']],
  ['--shell', ['completion', '--shell', 'sh']],
  ['--c2d-topic', ['serve', '--c2d-topic', 'x/{vin}']],
  ['--mqtt-presence-topic', ['serve', '--mqtt-presence-topic', 'x']],
  ['--callback-allow', ['serve', '--callback-allow', 'internal']],
  ['--callback-secret', ['serve', '--callback-secret', 'secret']],
  ['--callback-secret', ['carota', '--callback-secret', 'secret']],
  ['--s3-bucket', ['carota', '--s3-url', 'https://s3.example']],
  ['--vin', ['vehicle', '--credential', 'c']],
  ['--system-id', ['vehicles', 'register', '5YJSA1E40FF345678']],
])('a wrong or missing %s is named', async (name, args) => {
  const { code, output } = await wrong(...args);
  expect(output).toContain(name);
  expect(code).toBe(2);
  expect(requests).toBe(0);
});

test.each<[what: string, args: readonly string[], message: RegExp]>([
  ['no ref-id', ['trigger', 'X', '--model', 'm', '--script', 's'], /--ref-id is required/],
  ['neither a VIN nor a state', ['operations', 'retrigger', 'r'], /either a VIN or --state/],
  ['both', ['operations', 'retrigger', 'r', 'X', '--state', 'sent'], /either a VIN or --state/],
  ['growth without a rate', [...CHANGE, '--factor', '2'], /need --rate/],
  ['no change', CHANGE, /--priority, --rate or --no-rate/],
  ['a call-back that stays as it is', ['callbacks', 'change', 'n'], /give --address/],
  ['on and off', ['callbacks', 'change', 'n', '--on', '--off'], /either --on or --off/],
  ['no place to replay from', ['callbacks', 'replay', 'n'], /either --after or --since/],
  ['a replay of everything, unasked', ['dead-letters', 'replay'], /or --all/],
  ['the same with a reason', ['dead-letters', 'replay', '--reason', 'NOT_JSON'], /such as --code/],
  [
    'an id and --all',
    ['dead-letters', 'replay', 'x', '--all'],
    /give either an id, filters or --all/,
  ],
  [
    '--all and a filter',
    ['dead-letters', 'replay', '--all', '--code', 'NOT_JSON'],
    /give either an id, filters or --all/,
  ],
  ['no subcommand', ['operations'], /Usage: otaops operations/],
  ['an unknown subcommand', ['operations', 'lst'], /unknown command 'lst'/],
  ['an unknown option', ['rate', '--fast'], /unknown option '--fast'/],
  ['too many arguments', ['rate', '1', '2'], /too many arguments/],
])('exit code 2 for %s', async (_what, args, message) => {
  const { code, output } = await wrong(...args);
  expect(output).toMatch(message);
  expect(code).toBe(2);
  expect(requests).toBe(0);
});

test('a call-back without a secret, to a forbidden network, or with a secret that cannot be encrypted aborts the start', async () => {
  const secret = `whsec_${Buffer.alloc(32).toString('base64')}`;
  const serve = ['serve', '--http-port', '0', '--mqtt-port', '0'];
  const elsewhere = ['--database-url', 'postgres://127.0.0.1:1/none'];
  for (const [args, message] of [
    [['--callback-url', 'https://x.example/'], /needs --callback-secret/],
    [['--callback-url', 'http://10.0.0.1/', '--callback-secret', secret], /are forbidden/],
    [
      ['--callback-url', 'https://x.example/', '--callback-secret', secret, ...elsewhere],
      /to be stored encrypted: give --secret-key-file \(OTAOPS_SECRET_KEY_FILE\)/,
    ],
  ] as const) {
    const own = ['--log-level', 'silent', '--data-dir', temporaryDirectory('usage')];
    const { code, output } = await runCommand([...serve, ...own, ...args]);
    expect(output).toMatch(message);
    expect(code).toBe(2);
  }
});

test('without a token no request is made, and the exit code says that one is needed', async () => {
  const { code, output } = await runCommand(['rate', '--url', url(), '--data-dir', '/nowhere']);
  expect(output).toMatch(/no token: give --token/);
  expect(code).toBe(2);
});

test('an unknown reason of dead letters is answered with all that there are', async () => {
  for (const which of ['list', 'replay']) {
    const { code, output } = await wrong('dead-letters', which, '--code', 'VEHICLE_NOT_REGISTRED');
    for (const reason of DEAD_LETTER_REASONS) expect(output).toContain(reason);
    expect(code).toBe(2);
  }
  expect(requests).toBe(0);
});

test('--reason is why something is done, in every command', async () => {
  const { output } = await runCommand(['completion', '--shell', 'bash']);
  const commands = [...output.matchAll(/^ {4}'([^']*)'\) candidates='([^']*)'/gm)]
    .filter(([, , flags = '']) => flags.split(' ').includes('--reason'))
    .map(([, words = '']) => words);
  expect(commands).toEqual(expect.arrayContaining(['rate', 'dead-letters replay']));
  for (const words of commands) {
    const help = await runCommand([...words.split(' '), '--help']);
    expect(help.output, words).toMatch(/--reason <text> +why; kept in the audit log\n/);
  }
});

test('--limit of a replay says what it limits', async () => {
  const { output } = await runCommand(['dead-letters', 'replay', '--help']);
  expect(output).toMatch(/--limit <number> +maximum number of dead letters to replay/);
});

test.each([
  ['geh eim', 'a space (at position 4)'],
  ['geheim\n', 'a line break (at position 7)'],
  ['gehé', 'the character U+00E9 (at position 4)'],
])('a token with a forbidden character is not repeated: %j', async (token, what) => {
  const { code, output } = await runCommand(['rate', '--url', url(), '--token', token]);
  expect(output.trim()).toBe(`otaops: the token must not contain ${what}`);
  expect(code).toBe(2);
  const args = ['--adapter-url', url(), '--http-port', '0', '--adapter-token', token];
  const dataDir = temporaryDirectory('usage-carota');
  const start = await runCommand(['carota', ...args, '--data-dir', dataDir]);
  expect(start.output).toContain(`--adapter-token: the token must not contain ${what}\n`);
  expect(start.code).toBe(2);
});

test('only where plain HTTP is the matter, the option that allows it is named', async () => {
  const address = 'https://me:secret@adapter.invalid';
  const { code, output } = await runCommand(['rate', '--url', address, '--token', 'x']);
  expect(output).toMatch(/must not contain a user name or password\n$/);
  expect(code).toBe(2);
});

test('no token is sent over plain HTTP to another machine unless allowed', async () => {
  const elsewhere = ['rate', '--url', 'http://adapter.invalid', '--token', 'x'];
  const refused = await runCommand(elsewhere);
  expect(refused.output).toMatch(
    /no token is sent to http:\/\/adapter\.invalid.*--allow-plain-http/,
  );
  expect(refused.code).toBe(2);
  for (const [args, variables] of [
    [['--allow-plain-http', '1'], {}],
    [[], { OTAOPS_ALLOW_PLAIN_HTTP: '1' }],
  ] as const) {
    const allowed = await runCommand([...elsewhere, ...args], variables);
    expect(allowed.output).toMatch(/adapter\.invalid does not answer/);
    expect(allowed.code).toBe(4);
  }
  const carota = ['carota', '--adapter-url', 'http://adapter.invalid', '--adapter-token', 'x'];
  const dataDir = temporaryDirectory('usage-carota');
  const start = await runCommand([...carota, '--http-port', '0', '--data-dir', dataDir]);
  expect(start.output).toMatch(/--adapter-url: no token is sent .*--allow-plain-http/);
  expect(start.code).toBe(2);
});
