// The public API fuzzer schemathesis against both servers, as real processes: every check and every phase. What it may
// report is in test/fuzz, with a reason each. Its log is printed only where it has found something.
//
//   node scripts/fuzz.mjs      FUZZ_SECONDS=<of each server> FUZZ_SEED=<n> FUZZ_ONLY=adapter|carota FUZZ_LOG=1 (always print)
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { call, seedAdapter, seedCarota } from './fuzz-seeds.mjs';

const VERSION = '4.32';
const SECONDS = Number(process.env.FUZZ_SECONDS ?? 75);
const SEED = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const MAIN = here('../dist/cli/main.js');
const CALLBACK_SECRET = `whsec_${randomBytes(32).toString('base64')}`;

const work = mkdtempSync(join(tmpdir(), 'otaops-fuzz-'));
const servers = [];
const children = new Set();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(work, { recursive: true, force: true });
    process.exit(1);
  });
}
try {
  const program = schemathesis();
  const mqttPort = await freePort();
  const adapter = await start('serve', ['--mqtt-port', String(mqttPort)]);
  const carota = await start('carota', ['--adapter-url', adapter.url], {
    OTAOPS_ADAPTER_TOKEN: adapter.token,
    OTAOPS_CALLBACK_SECRET: CALLBACK_SECRET,
  });
  adapter.known = await seedAdapter({ ...adapter, mqttPort });
  carota.known = await seedCarota(carota, CALLBACK_SECRET);
  console.log(`Fuzzer seed ${SEED} (FUZZ_SEED=${SEED} FUZZ_SECONDS=${SECONDS} repeats it)`);
  const wanted = process.env.FUZZ_ONLY;
  const faults = [];
  if (wanted !== 'carota') faults.push(...(await fuzz('adapter', program, adapter)));
  if (wanted !== 'adapter') faults.push(...(await fuzz('carota', program, carota)));
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  for (const { child } of servers) child.kill('SIGTERM');
  await Promise.all(servers.map(({ ended }) => ended));
  rmSync(work, { recursive: true, force: true });
}

/** The program; installed into a folder of its own the first time. */
function schemathesis() {
  if (process.env.SCHEMATHESIS) return process.env.SCHEMATHESIS;
  const folder = join(tmpdir(), `otaops-schemathesis-${VERSION}`);
  const program = join(folder, 'bin', 'st');
  if (existsSync(program)) return program;
  console.log(`installing schemathesis ${VERSION} into ${folder}`);
  const done =
    run('python3', '-m', 'venv', folder) &&
    run(join(folder, 'bin', 'pip'), 'install', '--quiet', `schemathesis==${VERSION}.*`);
  if (!done) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(
      `schemathesis cannot be installed: it needs Python 3.10 with venv (apt-get install python3-venv) and PyPI; or set SCHEMATHESIS to its program`,
    );
  }
  return program;
}

function run(...command) {
  return spawnSync(command[0], command.slice(1), { stdio: 'inherit' }).status === 0;
}

function track(child) {
  children.add(child);
  child.once('close', () => children.delete(child));
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function start(command, args, environment = {}) {
  const dataDir = join(work, command);
  const port = await freePort();
  const child = spawn(
    process.execPath,
    [
      MAIN,
      command,
      '--http-port',
      String(port),
      '--data-dir',
      dataDir,
      '--log-level',
      'error',
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } },
  );
  track(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => (output += chunk));
  const ended = new Promise((resolve) => child.once('close', resolve));
  const server = { child, ended, url: `http://127.0.0.1:${port}`, output: () => output };
  servers.push(server);
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${command} does not start:\n${output}`);
    const ready = await fetch(`${server.url}/readyz`).catch(() => undefined);
    if (ready?.ok) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  server.token = readFileSync(join(dataDir, 'token'), 'utf8').trim();
  return server;
}

/** @returns what was found */
async function fuzz(name, program, server) {
  console.log(`Fuzzing ${name} for ${SECONDS} s …`);
  const { items } = await call(server, 'GET', '/v1.0/tokens');
  const logFile = join(work, `${name}.log`);
  const log = openSync(logFile, 'w');
  const child = spawn(
    program,
    [
      ...[
        '--config-file',
        here('../test/fuzz/schemathesis.toml'),
        'run',
        `${server.url}/openapi.json`,
      ],
      ...['--header', `authorization-token: ${server.token}`],
      ...['--seed', String(SEED), '--max-time', String(SECONDS)],
    ],
    {
      cwd: work,
      stdio: ['ignore', log, log],
      env: {
        ...process.env,
        SCHEMATHESIS_HOOKS: 'hooks',
        OTAOPS_FUZZ_TOKEN_ID: items[0].id,
        OTAOPS_FUZZ_SEED: String(SEED),
        OTAOPS_FUZZ_KNOWN: JSON.stringify(server.known),
        OTAOPS_FUZZ_CALLBACK_SECRET: CALLBACK_SECRET,
        PYTHONPATH: here('../test/fuzz'),
        PYTHONDONTWRITEBYTECODE: '1',
      },
    },
  );
  track(child);
  const code = await new Promise((resolve) => child.once('close', resolve));
  closeSync(log);
  const output = readFileSync(logFile, 'utf8');
  if (process.env.FUZZ_LOG) console.log(output);
  const faults =
    code === 0 ? [] : [`${output}\n${name}: schemathesis has found something (${code})`];
  // A run in which nothing was asked has found nothing either.
  const cases = Number(/^\s*(\d+) generated/m.exec(output)?.[1] ?? 0);
  if (cases === 0) faults.push(`${output}\n${name}: schemathesis has generated no test case`);
  console.log(
    `Fuzzing ${name}: ${cases} test cases, ${faults.length === 0 ? 'nothing found' : 'faults'}`,
  );
  if (server.child.exitCode !== null) return [...faults, `${name} has ended:\n${server.output()}`];
  faults.push(...(await lookAround(name, server)));
  return faults;
}

/** Whatever was asked: everything can still be read, nothing failed, and no value came as far as the database. */
async function lookAround(name, server) {
  const faults = [];
  const document = await call(server, 'GET', '/openapi.json');
  const readable = Object.entries(document.paths)
    .filter(([path, { get }]) => get && !path.includes('{'))
    // Streams do not end, and there is no OpenID Connect provider.
    .filter(([path]) => !/stream|live|vehicles$|sign-on/.test(path))
    .map(([path]) => path);
  for (const path of readable) {
    const { status } = await fetch(server.url + path, {
      headers: { 'authorization-token': server.token },
    });
    if (status !== 200) faults.push(`${name}: GET ${path} answers ${status} afterwards`);
  }
  const metrics = await call(server, 'GET', '/metrics', undefined, 'text/plain');
  for (const line of metrics.split('\n')) {
    if (/http_requests_total\{.*code="5/.test(line) || /http_refused_values_total\{/.test(line)) {
      faults.push(`${name}: ${line}`);
    }
  }
  if (faults.length > 0) faults.push(`what ${name} has logged:\n${server.output()}`);
  return faults;
}
