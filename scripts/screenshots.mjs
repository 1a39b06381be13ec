// `npm run screenshots`: writes the pictures of docs/ and the README from a running quickstart in a real Chromium. With names of
// pictures as arguments, only those.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { findChromium, freePort } from '../dist/test-bed/index.js';

const PICTURES = 'docs/pictures';
const REF_ID = 'winter update';
const wanted = process.argv.slice(2);

const executablePath = findChromium();

const folder = mkdtempSync(join(tmpdir(), 'otaops-screenshots-'));
const [http, mqtt, carota] = [await freePort(), await freePort(), await freePort()].map(String);
const quickstart = spawn(
  process.execPath,
  [
    ...['dist/cli/main.js', 'quickstart', '--data-dir', folder, '--vehicles', '1000'],
    ...['--http-port', http, '--mqtt-port', mqtt, '--carota-port', carota, '--speed', '20'],
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
let output = '';
quickstart.stdout.on('data', (chunk) => (output += chunk));
while (!output.includes('Triggered')) await sleep(100);
const tokenIn = (line) => readFileSync(line.exec(output)?.[1] ?? '', 'utf8').trim();
const token = tokenIn(/^ {2}Token +in (.+)$/m);
const carotaToken = tokenIn(/^ {2}CarOTA token +in (.+)$/m);
const adapterUrl = `http://127.0.0.1:${http}`;
const carotaUrl = `http://127.0.0.1:${carota}`;

async function call(base, secret, method, path, body) {
  const answer = await fetch(base + path, {
    method,
    headers: {
      'authorization-token': secret,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`);
  return answer.json();
}

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });

async function signedIn(base, secret, { width = 1280, height = 800, colorScheme = 'light' } = {}) {
  const context = await browser.newContext({
    baseURL: base,
    viewport: { width, height },
    colorScheme,
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  await page.goto('/console/');
  await page.getByLabel('Token').fill(secret);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  return page;
}

async function picture(page, name, path, { fullPage = false } = {}) {
  if (path !== undefined) await page.goto(`/console${path}`);
  if (wanted.length > 0 && !wanted.includes(name)) return;
  await page.getByLabel('Loading', { exact: true }).first().waitFor({ state: 'detached' });
  // Curves are drawn with the frame after their numbers came.
  await sleep(700);
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage });
  console.log(`${PICTURES}/${name}.png`);
}

/** A CarOTA Server whose image repository has offline keys, in the middle of a ceremony. */
async function startCeremony() {
  const at = (name) => join(folder, 'ceremony', name);
  mkdirSync(at(''), { recursive: true });
  const run = (...args) => execFileSync(process.execPath, ['dist/cli/main.js', ...args]);
  const names = ['alice', 'bob', 'carol', 'snapshot', 'timestamp'];
  for (const name of names) run('keys', 'generate', at(`${name}.key`), '--no-passphrase');
  const people = ['root', 'targets'].flatMap((role) =>
    ['alice', 'bob', 'carol'].flatMap((name) => ['--key', `${role}=${at(`${name}.key.pub`)}`]),
  );
  const online = ['snapshot', 'timestamp'].flatMap((name) => [
    '--key',
    `${name}=${at(`${name}.key.pub`)}`,
  ]);
  const twoOfThree = ['--threshold', 'root=2', '--threshold', 'targets=2'];
  const repo = at('repo');
  const sign = (name) => run('repository', 'sign', repo, '--key', at(`${name}.key`), '--yes');
  run('repository', 'init', repo, ...twoOfThree, ...people, ...online);
  sign('alice');
  sign('bob');
  const onlineKeys = ['--key', at('snapshot.key'), '--key', at('timestamp.key')];
  run('repository', 'publish', repo, ...onlineKeys);
  run(
    ...['repository', 'propose', repo, '--add', `brakes/fw.bin=${at('alice.key.pub')}`],
    ...['--hardware-id', 'hw-brakes', '--release-counter', '2'],
  );
  sign('alice');
  const port = String(await freePort());
  const server = spawn(
    process.execPath,
    [
      ...['dist/cli/main.js', 'carota', '--data-dir', at('data'), '--http-port', port],
      ...['--adapter-url', adapterUrl, '--adapter-token', token, '--image-repository-dir', repo],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let said = '';
  server.stdout.on('data', (chunk) => (said += chunk));
  while (!/HTTP interface/.test(said)) await sleep(100);
  return {
    server,
    url: `http://127.0.0.1:${port}`,
    token: readFileSync(at('data/token'), 'utf8').trim(),
  };
}

let ceremony;
try {
  mkdirSync(PICTURES, { recursive: true });
  const page = await signedIn(adapterUrl, token);
  const operation = '/operations/schedule%200910';
  await sleep(8_000);
  await picture(page, 'operations', '/operations');
  await picture(page, 'operation', operation);
  await picture(page, 'whole-operation', undefined, { fullPage: true });
  await page.getByRole('button', { name: 'Cancel operation' }).click();
  await page.getByRole('alertdialog').waitFor();
  await picture(page, 'confirmation');
  await picture(page, 'vehicles', `${operation}/vehicles`);
  const { items } = await call(
    adapterUrl,
    token,
    'GET',
    '/v1.0/ota/operations/schedule%200910/vehicles?state=pki_check_fail&limit=1',
  );
  await picture(page, 'vehicle', `/vehicles/${items[0]?.vin ?? ''}`, { fullPage: true });
  await picture(page, 'health', '/health');
  const phone = await signedIn(adapterUrl, token, {
    width: 390,
    height: 844,
    colorScheme: 'dark',
  });
  await picture(phone, 'phone', operation);

  ceremony = await startCeremony();
  await picture(await signedIn(ceremony.url, ceremony.token), 'repositories', '/repositories', {
    fullPage: true,
  });

  const planner = await signedIn(carotaUrl, carotaToken);
  const { items: agents } = await call(
    carotaUrl,
    carotaToken,
    'GET',
    '/v1.0/vehicles?tag=agent&limit=1',
  );
  await picture(planner, 'ecus', `/vehicles/${agents[0]?.vin ?? ''}`);
  await call(carotaUrl, carotaToken, 'POST', '/v1.0/schedules', {
    'ref-id': REF_ID,
    'script-ref-id': 'hu only 001',
    model: 'vehicle model a',
    filter: { tags: ['simulated'] },
    waves: [{ percent: 2 }, { percent: 10 }, { percent: 30 }],
    guard: { test: { tolerated: 0.25, intolerable: 0.5, falseStop: 0.01, missedStop: 0.001 } },
  });
  await planner.goto('/console/schedules/new');
  await planner.getByLabel('Name (ref-id)').fill('spring update');
  await planner.getByLabel('Update script').selectOption('hu only 001');
  await planner.getByRole('tab', { name: '2. Vehicles' }).click();
  await planner.getByLabel('Tags, all of them').fill('simulated');
  await planner.getByRole('tab', { name: '5. Preview' }).click();
  await planner.getByRole('region', { name: 'Waves of the preview' }).waitFor();
  await picture(planner, 'preview');
  const isGuarded = async () => {
    const { guardTest, waves } = await call(
      carotaUrl,
      carotaToken,
      'GET',
      `/v1.0/schedules/${encodeURIComponent(REF_ID)}`,
    );
    return guardTest.path.length > 12 && waves.length > 0;
  };
  for (let tries = 0; tries < 120 && !(await isGuarded()); tries++) await sleep(500);
  await picture(planner, 'schedule', `/schedules/${encodeURIComponent(REF_ID)}`, {
    fullPage: true,
  });
} finally {
  await browser.close();
  if (ceremony) {
    ceremony.server.kill('SIGTERM');
    await once(ceremony.server, 'exit');
  }
  quickstart.kill('SIGTERM');
  await once(quickstart, 'exit');
  rmSync(folder, { recursive: true, force: true });
}
