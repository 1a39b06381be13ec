/** The account of the embedded PostgreSQL, which refuses to run as root. */
import { readFile, stat } from 'node:fs/promises';
import { EmbeddedUnavailable } from './unavailable.js';

/** Undefined means our own account, if we are not root. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** System accounts in order of preference: PostgreSQL's on Linux and macOS, then nobody. */
const CANDIDATES = ['postgres', '_postgres', 'nobody'];

/**
 * As root: the owner of the database's directory, so that it stays the same across restarts; if there is none yet, a
 * system account.
 *
 * @throws EmbeddedUnavailable
 */
export async function serverAccount(cluster?: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = cluster === undefined ? undefined : await stat(cluster).catch(() => undefined);
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const account = chooseAccount(await readFile('/etc/passwd', 'utf8').catch(() => ''));
  if (account) return account;
  throw new EmbeddedUnavailable(
    'PostgreSQL refuses to run as root, and /etc/passwd has no account "postgres" or "nobody". ' +
      'Start otaops as another user',
  );
}

/** @param passwd text of passwd(5) */
export function chooseAccount(passwd: string): Account | undefined {
  const accounts = new Map<string, Account>();
  for (const line of passwd.split('\n')) {
    const [name = '', , uid = '', gid = ''] = line.split(':');
    // On macOS the ids of nobody are -2.
    const account = { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 };
    if (/^-?\d+$/.test(uid) && /^-?\d+$/.test(gid) && account.uid !== 0)
      accounts.set(name, account);
  }
  const name = CANDIDATES.find((candidate) => accounts.has(candidate));
  return name === undefined ? undefined : accounts.get(name);
}
