/**
 * The Director's root and online keys: a folder with `metadata/N.root.json`, and `keys/ROLE.pem` (PKCS#8) unless a signer
 * process holds the keys. The root key is kept elsewhere, except in trials: if the folder does not exist and the database
 * has no Director yet, all keys are generated.
 */
import { createHash, createPrivateKey, type KeyObject, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Database } from '../../service/database/index.js';
import { makeFolder, syncPath } from '../../service/write-durably.js';
import { checkNextRoot } from '../../uptane/checks/check-root.js';
import { STANDARD } from '../../uptane/checks/sections.js';
import { checkThreshold } from '../../uptane/checks/threshold.js';
import { directorRoot } from '../../uptane/director-repository/files.js';
import { readRoot, type Root } from '../../uptane/metadata/root.js';
import { Refusal } from '../../uptane/refusal.js';
import { DIRECTOR } from '../../uptane/rules.js';
import { generateKey } from '../../uptane/signing/generate-key.js';
import { localSigner } from '../../uptane/signing/local-signer.js';
import { signMetadata, writeEnvelope } from '../../uptane/signing/sign.js';
import { type Signer } from '../../uptane/signing/signer.js';
import { metadataPath } from '../../uptane/urls.js';

/** Public keys for verifying the time, with which vehicles are provisioned in addition to the root. */
export const TIME_KEYS = 'time-keys.json';

const ROLES = ['targets', 'snapshot', 'timestamp'] as const;
type OnlineRole = (typeof ROLES)[number];

export interface DirectorKeys {
  /** The signer of each online role. */
  readonly signers: Readonly<Record<OnlineRole, Signer>>;
  /** Signs the time; not a role of the repository. */
  readonly time: Signer;
  /** All versions of the root as served. */
  readonly roots: ReadonlyMap<number, Uint8Array>;
  /** SHA-256 of the last root, which determines the signers. */
  readonly rootDigest: string;
  /** When the last root expires. */
  readonly rootExpires: Date;
  readonly lastRoot: Root;
  /** Holder of the online keys: this process, or a signer process. */
  readonly onlineKeys: 'server' | 'signer';
  /** Whether the root's key is here too, for trials only. */
  readonly isTrial: boolean;
}

/** The keys are missing, or are not those of the Director's root; the message names the file. */
class BadDirectorKeys extends Error {
  override readonly name = 'BadDirectorKeys';
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Lifetime of a root generated here. */
const ROOT_LIFETIME_MS = 365 * DAY_MS;
/** A root generated here is replaced when less than this is left of its lifetime. */
const ROOT_RENEWAL_MS = 60 * DAY_MS;

const SUBJECT = { repository: 'director', role: 'root' };

/** A key that a signer process offers, and its purpose. */
export type OfferedSigner = Signer & { readonly roles: readonly string[] };

/**
 * @param now ms
 * @param offered keys of a signer process; undefined: the keys are in the folder
 * @throws BadDirectorKeys, DatabaseError
 */
export async function openDirectorKeys(
  database: Database,
  folder: string,
  now: number,
  offered?: readonly OfferedSigner[],
): Promise<DirectorKeys> {
  if (!existsSync(folder)) {
    if (offered) throw new BadDirectorKeys(`there is no root in ${join(folder, 'metadata')}`);
    const [stored] = await readRoots(database);
    // Another server may have created both since the first look.
    if (stored && !existsSync(folder)) {
      const message = `there are no keys in ${folder}, but the database belongs to a Director with a root: copy its folder there`;
      throw new BadDirectorKeys(message);
    }
    if (!stored) await makeTrialKeys(folder, now);
  }
  const rootKey = offered ? undefined : await keyIn(folder, 'root');
  await publishRoots(database, folder);
  let roots = checkedChain(await readRoots(database));
  let last = roots.at(-1);
  if (!last) throw new BadDirectorKeys(`there is no root in ${join(folder, 'metadata')}`);
  const signers = offered ? signersAmong(offered, last) : await signersIn(folder);
  if (rootKey && last.expires.getTime() - now < ROOT_RENEWAL_MS) {
    const next = await makeRoot(localSigner(rootKey), signers, last.version + 1, now);
    await storeRoot(database, last.version + 1, next);
    roots = checkedChain(await readRoots(database));
    last = roots.at(-1) ?? last;
  }
  for (const role of ROLES) {
    checkAuthority(last, role, signers[role], offered ? 'a key' : keyFile(folder, role));
  }
  return {
    signers,
    time: offered ? offeredFor(offered, 'time') : await signerIn(folder, 'time'),
    roots: new Map(roots.map(({ version, bytes }) => [version, bytes])),
    rootDigest: createHash('sha256').update(last.bytes).digest('hex'),
    rootExpires: last.expires,
    lastRoot: last,
    onlineKeys: offered ? 'signer' : 'server',
    isTrial: rootKey !== undefined,
  };
}

/** The signer process's names for these roles. */
const OFFERED_AS = { targets: 'director-targets', snapshot: 'snapshot', timestamp: 'timestamp' };

/** The signer process may also have keys of the image repository: only those named in the root count. */
function signersAmong(offered: readonly OfferedSigner[], root: Root): DirectorKeys['signers'] {
  const among = (role: OnlineRole) =>
    offeredFor(offered, OFFERED_AS[role], ({ keyId }) => root.authorities[role].keys.has(keyId));
  return {
    targets: among('targets'),
    snapshot: among('snapshot'),
    timestamp: among('timestamp'),
  };
}

function offeredFor(
  offered: readonly OfferedSigner[],
  name: string,
  isNamed: (signer: Signer) => boolean = () => true,
): Signer {
  const found = offered.find((signer) => signer.roles.includes(name) && isNamed(signer));
  if (found) return found;
  throw new BadDirectorKeys(`the signer has no key for ${name} that the Director's root names`);
}

const signersIn = async (folder: string): Promise<DirectorKeys['signers']> => ({
  targets: await signerIn(folder, 'targets'),
  snapshot: await signerIn(folder, 'snapshot'),
  timestamp: await signerIn(folder, 'timestamp'),
});

/** @param whose for messages */
function checkAuthority(root: Root, role: OnlineRole, { keyId }: Signer, whose: string): void {
  const { keys, threshold } = root.authorities[role];
  if (keys.has(keyId) && threshold === 1) return;
  const reason = keys.has(keyId)
    ? `root version ${root.version} requires ${threshold} signatures for ${role}: online roles have one`
    : `${whose} is not the key that root version ${root.version} names for ${role}`;
  throw new BadDirectorKeys(reason);
}

/** Creates the folder atomically, so that another process that starts now finds all of it or nothing. */
async function makeTrialKeys(folder: string, now: number): Promise<void> {
  const unfinished = `${folder}.${randomUUID()}.unfinished`;
  await makeFolder(dirname(folder));
  await mkdir(join(unfinished, 'keys'), { recursive: true, mode: 0o700 });
  await mkdir(join(unfinished, 'metadata'), { mode: 0o700 });
  const make = async (name: string): Promise<Signer> => {
    const privateKey = generateKey('ed25519');
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    await writeFile(keyFile(unfinished, name), pem, { mode: 0o600, flush: true });
    return localSigner(privateKey);
  };
  const root = await make('root');
  const signers = {
    targets: await make('targets'),
    snapshot: await make('snapshot'),
    timestamp: await make('timestamp'),
  };
  const time = await make('time');
  await writeFile(
    join(unfinished, 'metadata', TIME_KEYS),
    `${JSON.stringify([time.key], null, 2)}\n`,
    { flush: true },
  );
  const file = join(unfinished, 'metadata', metadataPath('root', 1));
  await writeFile(file, await makeRoot(root, signers, 1, now), { flush: true });
  await chmod(unfinished, 0o700);
  for (const made of ['keys', 'metadata', '.']) await syncPath(join(unfinished, made));
  try {
    await rename(unfinished, folder);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  // The database must not know a root whose keys a power cut can still take.
  await syncPath(dirname(folder));
}

async function makeRoot(
  root: Signer,
  signers: Readonly<Record<OnlineRole, Signer>>,
  version: number,
  now: number,
): Promise<Buffer> {
  const signed = directorRoot({
    version,
    expires: new Date(now + ROOT_LIFETIME_MS),
    rootThreshold: 1,
    keys: {
      root: [root.key],
      targets: [signers.targets.key],
      snapshot: [signers.snapshot.key],
      timestamp: [signers.timestamp.key],
    },
  });
  return writeEnvelope(await signMetadata(signed, [root]));
}

const keyFile = (folder: string, name: string) => join(folder, 'keys', `${name}.pem`);

/** @returns undefined if the file does not exist */
async function keyIn(folder: string, name: string): Promise<KeyObject | undefined> {
  const path = keyFile(folder, name);
  let pem: string;
  try {
    pem = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new BadDirectorKeys(`${path} cannot be read: ${(error as Error).message}`);
  }
  try {
    return createPrivateKey(pem);
  } catch {
    throw new BadDirectorKeys(`${path} is not an unencrypted private key in PEM`);
  }
}

async function signerIn(folder: string, name: string): Promise<Signer> {
  const key = await keyIn(folder, name);
  if (!key) throw new BadDirectorKeys(`${keyFile(folder, name)} is missing`);
  try {
    return localSigner(key);
  } catch (error) {
    throw new BadDirectorKeys(`${keyFile(folder, name)}: ${(error as Error).message}`);
  }
}

interface RootRow {
  readonly version: number;
  readonly root: Buffer;
}

const readRoots = (database: Database): Promise<RootRow[]> =>
  database.query<RootRow>('select version, root from director_roots order by version');

/** An existing root is never replaced: vehicles may trust it. */
const storeRoot = (database: Database, version: number, root: Uint8Array) =>
  database.query(
    'insert into director_roots (version, root) values ($1, $2) on conflict do nothing',
    [version, root],
  );

/** Roots of the folder that the database does not have yet: a new one came from a ceremony. */
async function publishRoots(database: Database, folder: string): Promise<void> {
  const metadata = join(folder, 'metadata');
  const names = existsSync(metadata) ? await readdir(metadata) : [];
  const found = names
    .flatMap((name) => {
      const [, version] = /^([1-9][0-9]*)\.root\.json$/.exec(name) ?? [];
      return version === undefined ? [] : [{ name, version: Number(version) }];
    })
    .sort((a, b) => a.version - b.version);
  const stored = await readRoots(database);
  // Checked before any is stored, because a wrong one would stay forever.
  const files = new Map(stored.map(({ version, root }) => [version, root]));
  for (const { name, version } of found) {
    const bytes = await readFile(join(metadata, name));
    const other = files.get(version);
    if (other && !other.equals(bytes)) {
      throw new BadDirectorKeys(
        `${join(metadata, name)} is not the root version ${version} of this database`,
      );
    }
    files.set(version, bytes);
  }
  checkedChain([...files].map(([version, root]) => ({ version, root })));
  for (const [version, root] of files) await storeRoot(database, version, root);
}

/** Checks it as vehicles do. @throws BadDirectorKeys */
function checkedChain(rows: readonly RootRow[]): Root[] {
  const roots: Root[] = [];
  try {
    for (const { root } of [...rows].sort((a, b) => a.version - b.version)) {
      const before = roots.at(-1);
      if (before) roots.push(checkNextRoot(root, before, SUBJECT, DIRECTOR));
      else {
        const first = readRoot(root, SUBJECT, DIRECTOR);
        checkThreshold(first, first.authorities.root, STANDARD.rootSignature, DIRECTOR);
        roots.push(first);
      }
    }
  } catch (error) {
    if (error instanceof Refusal) throw new BadDirectorKeys(error.message);
    throw error;
  }
  return roots;
}
