/**
 * Every command of docs/key-ceremonies.md, in document order; each recovery works on a copy of the folder. A quick run
 * takes a sample of the recoveries, and passphrases without the deliberately slow key derivation.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RepositoryClient } from '../../src/uptane/repository-client.js';
import { DIRECTOR } from '../../src/uptane/rules.js';
import { keyIdOfListed, type ListedKey } from '../../src/uptane/signing/signer.js';
import { isFullDepth, sampleOf } from '../support/depth.js';
import { protectQuickly } from '../support/quick-passphrase.js';
import { runCommand } from '../support/run-command.js';
import { temporaryDirectory } from '../support/servers.js';
import { MemoryStore } from '../uptane/support/memory.js';
import { days, TestClient } from '../uptane/repository/support.js';

const document = readFileSync(
  fileURLToPath(new URL('../../docs/key-ceremonies.md', import.meta.url)),
  'utf8',
);

interface Section {
  readonly title: string;
  readonly commands: readonly string[];
}

/** Sections with commands; those under `## Recovery` all start from the same folder. */
function sectionsOf(text: string): Section[] {
  return text
    .split(/^#{2,3} /m)
    .slice(1)
    .map((part) => ({
      title: part.split('\n')[0] ?? '',
      commands: [...part.matchAll(/^```sh\n([^]*?)^```$/gm)].flatMap(([, block = '']) =>
        block.trim().split('\n'),
      ),
    }))
    .filter(({ commands }) => commands.length > 0);
}

const [preparing = '', recovering = ''] = document.split(/^## Recovery$/m);
const preparation = sectionsOf(preparing);
const recoveries = sectionsOf(recovering);

const before = process.cwd();
const prepared = temporaryDirectory('ceremonies');
const WORDS = 'correct horse battery staple';
const PASSPHRASE = ['--passphrase-file', 'passphrase'];

/** The command as typed by a person, plus answers to its passphrase and confirmation prompts. */
async function type(command: string): Promise<string> {
  const [program, ...args] = command.split(' ');
  if (program !== 'otaops') {
    execFileSync('sh', ['-c', command]);
    return '';
  }
  const [first, second] = args;
  const isSigning = second === 'sign' && !args.includes('--from');
  const isGenerating = first === 'keys' && second === 'generate';
  const asks = (isSigning || isGenerating) && !args.includes('--no-passphrase');
  const isQuick = isGenerating && asks && !isFullDepth;
  const answers = [
    ...(isQuick ? ['--no-passphrase'] : asks ? PASSPHRASE : []),
    ...(isSigning ? ['--yes'] : []),
  ];
  const { code, output } = await runCommand([...args, ...answers]);
  if (code !== 0) throw new Error(`${command}\n${output}`);
  if (isQuick) protectQuickly(args[2] ?? '', WORDS);
  return output;
}

const FIRST_ROOT = join('repo', 'metadata', '1.root.json');

beforeAll(async () => {
  process.chdir(prepared);
  writeFileSync('passphrase', `${WORDS}\n`);
  writeFileSync('fw.bin', 'firmware');
  for (const { commands } of preparation) for (const command of commands) await type(command);
});

afterAll(() => process.chdir(before));

test('the document has at least eleven recoveries, and names the first root', () => {
  expect(recoveries.length).toBeGreaterThanOrEqual(11);
  expect(document).toContain(FIRST_ROOT);
});

describe('recovery:', () => {
  test.each(sampleOf(recoveries, 3))('$title', async ({ commands }) => {
    const folder = temporaryDirectory('recovery');
    cpSync(prepared, folder, { recursive: true });
    process.chdir(folder);
    // The vehicle provisioned in the first ceremony; it has seen the release.
    const vehicle = new TestClient(readFileSync(FIRST_ROOT));
    const now = new Date();
    expect(await vehicle.find('repo', 'brakes/fw.bin', now)).toBe('targets');
    for (const command of commands) {
      if (command.includes('supplier.json')) writeDelegation();
      await type(command);
    }
    // A vehicle provisioned with the Director's first root reaches the last one.
    const last = await lastRootOf('director', now);
    expect(last.version).toBe(commands.some((command) => command.includes(' director')) ? 2 : 1);
    await expect(lastRootOf('director', days(500, now))).rejects.toThrow('has expired');
    if (existsSync('repo-2')) {
      const other = new TestClient(readFileSync(join('repo-2', 'metadata', '1.root.json')));
      expect(await other.find('repo-2', 'brakes/fw.bin', now)).toBeUndefined();
    } else {
      expect(await vehicle.find('repo', 'brakes/fw.bin', now)).toBe('targets');
      await expect(vehicle.find('repo', 'brakes/fw.bin', days(500, now))).rejects.toThrow(
        'has expired',
      );
    }
    process.chdir(before);
    rmSync(folder, { recursive: true });
  });
});

async function lastRootOf(folder: string, now: Date) {
  const at = (name: string) => join(folder, 'metadata', name);
  const store = new MemoryStore();
  store.write('root', readFileSync(at('1.root.json')));
  const client = new RepositoryClient({
    name: 'director',
    rules: DIRECTOR,
    fetcher: { fetch: async (name) => (existsSync(at(name)) ? piece(at(name)) : undefined) },
    store,
    now,
  });
  await client.updateRoot();
  return client.root;
}

async function* piece(path: string): AsyncGenerator<Uint8Array> {
  yield readFileSync(path);
}

function writeDelegation(): void {
  const key = JSON.parse(readFileSync('supplier.key.pub', 'utf8')) as ListedKey;
  const id = keyIdOfListed(key);
  writeFileSync(
    'supplier.json',
    JSON.stringify({
      name: 'supplier',
      keyids: [id],
      threshold: 1,
      paths: ['radio/*'],
      terminating: false,
      keys: { [id]: key },
    }),
  );
}
