// `npm run dossier`: writes the dossier of the quickstart's own campaign, of its complete agents, to docs/dossier: the JSON
// Lines, the PDF made of them, and the public key of the seal.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../dist/test-bed/index.js';

const TARGET = 'docs/dossier';
const REF_ID = 'schedule 0911';
const otaops = (...args) => execFileSync(process.execPath, ['dist/cli/main.js', ...args]);

const folder = mkdtempSync(join(tmpdir(), 'otaops-dossier-'));
const [http, mqtt, carota] = [await freePort(), await freePort(), await freePort()].map(String);
const quickstart = spawn(
  process.execPath,
  [
    ...['dist/cli/main.js', 'quickstart', '--data-dir', folder, '--vehicles', '10'],
    ...['--http-port', http, '--mqtt-port', mqtt, '--carota-port', carota],
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
let output = '';
quickstart.stdout.on('data', (chunk) => (output += chunk));
const ended = once(quickstart, 'exit');
try {
  const finished = new RegExp(`^${REF_ID}: (\\d+) vehicles, \\1 finished`, 'm');
  while (!finished.test(output)) {
    if (quickstart.exitCode !== null) throw new Error(`the quickstart has ended:\n${output}`);
    await sleep(200);
  }
  const tokenFile = /^ {2}CarOTA token +in (.+)$/m.exec(output)?.[1] ?? '';
  const token = readFileSync(tokenFile, 'utf8').trim();
  const url = `http://127.0.0.1:${carota}`;
  const schedule = `${url}/v1.0/schedules/${encodeURIComponent(REF_ID)}`;
  for (let isOver = false; !isOver; await sleep(200)) {
    const answer = await fetch(schedule, { headers: { 'authorization-token': token } });
    isOver = ['completed', 'stopped'].includes((await answer.json()).status);
  }
  mkdirSync(TARGET, { recursive: true });
  const at = (name) => join(TARGET, name);
  rmSync(at('quickstart.pdf'), { force: true });
  otaops('dossier', 'export', REF_ID, '--url', url, '--token', token, '-o', at('quickstart.jsonl'));
  copyFileSync(join(dirname(tokenFile), 'audit-key.pub'), at('quickstart.pub'));
  const key = ['--key', at('quickstart.pub')];
  const verified = otaops(
    'dossier',
    'verify',
    at('quickstart.jsonl'),
    ...key,
    '--pdf',
    at('quickstart.pdf'),
  );
  process.stdout.write(verified);
} finally {
  quickstart.kill('SIGTERM');
  await ended;
  rmSync(folder, { recursive: true, force: true });
}
