/** `otaops repository init` */
import { mkdirSync } from 'node:fs';
import { type Command } from 'commander';
import { type Periods, type TopRole } from '../../../uptane/repository/index.js';
import { type ListedKey } from '../../../uptane/signing/index.js';
import { print } from '../../output.js';
import { collect } from '../../signers.js';
import { UsageError } from '../../usage-error.js';
import { changing } from './folder.js';
import { pairOf, thresholdOf } from './role-flags.js';

interface InitFlags {
  readonly key: string[];
  readonly threshold?: string[];
  readonly expires?: string[];
  readonly director?: boolean;
}

export function initCommand(repository: Command): void {
  repository
    .command('init')
    .description('propose the first root: keys and thresholds of all roles')
    .argument('<folder>', 'created if missing')
    .requiredOption(
      '--key <role=file>',
      'public key of root, targets, snapshot or timestamp (of a Director also time); repeatable',
      collect,
    )
    .option('--director', 'of a Director: the root alone; its other roles are signed online')
    .option('--threshold <role=number>', 'keys that must sign a role (default: 1)', collect)
    .option(
      '--expires <role=days>',
      'validity of root, targets, delegated, snapshot, timestamp',
      collect,
    )
    .action(async (folder: string, flags: InitFlags) => {
      const { TOP_ROLES } = await import('../../../uptane/repository/index.js');
      const kind = flags.director ? 'director' : 'image';
      const keys = await keysByRole(flags.key, kind);
      const thresholds = new Map(
        (flags.threshold ?? []).map((text) => thresholdOf('--threshold', text)),
      );
      for (const role of thresholds.keys()) await checkTopRole('--threshold', role);
      const keysOf = (role: TopRole) => {
        const listed = keys.get(role);
        if (listed === undefined) throw new UsageError(`--key ${role}=FILE is required`);
        return { keys: listed, threshold: thresholds.get(role) ?? 1 };
      };
      const roles = {
        root: keysOf('root'),
        targets: keysOf('targets'),
        snapshot: keysOf('snapshot'),
        timestamp: keysOf('timestamp'),
      };
      const periods = await periodsOf(flags.expires ?? []);
      mkdirSync(folder, { recursive: true });
      await changing(folder, (images) => images.init(roles, periods, new Date(), kind));
      if (kind === 'director') await writeTimeKeys(folder, keys.get(TIME) ?? []);
      const what = kind === 'director' ? 'root version 1' : 'root version 1 and targets version 1';
      print(`Proposed ${what} for ${TOP_ROLES.length} roles.`);
      print(`Next: otaops repository sign ${folder} --key <file>, by each signer`);
    });
}

/** Not a role of the repository: vehicles are provisioned with its keys beside the root. */
const TIME = 'time';

async function writeTimeKeys(folder: string, keys: readonly ListedKey[]): Promise<void> {
  if (keys.length === 0) return;
  const { FolderFiles } = await import('../../../uptane/repository/index.js');
  const text = `${JSON.stringify(keys, null, 2)}\n`;
  await new FolderFiles(folder).write('metadata/time-keys.json', Buffer.from(text));
}

async function keysByRole(
  texts: readonly string[],
  kind: 'image' | 'director',
): Promise<Map<string, ListedKey[]>> {
  const { readPublicKeyFile } = await import('../../../uptane/signing/index.js');
  const keys = new Map<string, ListedKey[]>();
  for (const text of texts) {
    const [role, file] = pairOf('--key', text);
    if (kind !== 'director' || role !== TIME) await checkTopRole('--key', role);
    keys.set(role, [...(keys.get(role) ?? []), await readPublicKeyFile(file)]);
  }
  return keys;
}

async function checkTopRole(flag: string, role: string): Promise<void> {
  const { TOP_ROLES } = await import('../../../uptane/repository/index.js');
  if (!TOP_ROLES.includes(role as TopRole)) {
    throw new UsageError(`${flag} ${role}: the roles are ${TOP_ROLES.join(', ')}`);
  }
}

async function periodsOf(texts: readonly string[]): Promise<Periods> {
  const { DEFAULT_PERIODS, LONGEST_PERIOD } = await import('../../../uptane/repository/index.js');
  const periods: Record<string, number> = { ...DEFAULT_PERIODS };
  for (const text of texts) {
    const [role, days] = pairOf('--expires', text);
    if (!Object.hasOwn(periods, role)) {
      throw new UsageError(`--expires ${role}: the roles are ${Object.keys(periods).join(', ')}`);
    }
    if (!/^[1-9][0-9]{0,3}$/.test(days) || Number(days) > LONGEST_PERIOD) {
      throw new UsageError(`--expires ${text}: days must be from 1 to ${LONGEST_PERIOD}`);
    }
    periods[role] = Number(days);
  }
  return periods as Record<keyof Periods, number>;
}
