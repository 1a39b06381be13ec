/** `otaops repository propose` */
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { type Command } from 'commander';
import { type Change, type ImageRepository } from '../../../uptane/repository/index.js';
import { option } from '../../options.js';
import { print } from '../../output.js';
import { parseCount } from '../../settings/parsers.js';
import { collect } from '../../signers.js';
import { UsageError } from '../../usage-error.js';
import { changing } from './folder.js';
import { printReview } from './review-output.js';
import { keyIdOf, pairOf, thresholdOf } from './role-flags.js';

interface ProposeFlags {
  readonly role: string;
  readonly add?: string[];
  readonly hardwareId?: string[];
  readonly releaseCounter?: number;
  readonly remove?: string[];
  readonly delegate?: string[];
  readonly undelegate?: string[];
  readonly priority?: string[];
  readonly addKey?: string[];
  readonly removeKey?: string[];
  readonly threshold?: string[];
  readonly renew?: string[];
  readonly import?: string[];
  readonly image?: string[];
  readonly discard?: boolean;
}

export function proposeCommand(repository: Command): void {
  repository
    .command('propose')
    .description('propose changes on top of the current proposal, and show the difference')
    .argument('<folder>', 'the repository')
    .option('--role <role>', 'role whose images and delegations change', 'targets')
    .option('--add <path=file>', 'image under its target path; repeatable', collect)
    .option('--hardware-id <id>', 'hardware of the added images; repeatable', collect)
    .addOption(
      option(
        '--release-counter <number>',
        'release counter of the added images; never decreases',
        parseCount,
      ),
    )
    .option('--remove <path>', 'image to remove; repeatable', collect)
    .option('--delegate <file>', 'delegation as JSON, with its keys; repeatable', collect)
    .option('--undelegate <role>', 'delegated role to remove; repeatable', collect)
    .option('--priority <role=place>', 'priority of a delegation; 1 is searched first', collect)
    .option('--add-key <role=file>', 'public key to add to a role; repeatable', collect)
    .option('--remove-key <role=keyid>', 'key to remove from a role; repeatable', collect)
    .option(
      '--threshold <role=number>',
      'number of keys that must sign a role; repeatable',
      collect,
    )
    .option(
      '--renew <role>',
      'role that gets a new version with a later expiry; repeatable',
      collect,
    )
    .option('--import <role=file>', 'file of a delegated role, signed by its owner', collect)
    .option('--image <file>', 'an image that an imported file lists; repeatable', collect)
    .option('--discard', 'discard the current proposal first')
    .addHelpText(
      'after',
      `
A delegation in a file:
  {"name": "supplier", "keyids": ["…"], "threshold": 1, "paths": ["radio/*"], "terminating": false,
   "hardwareIds": ["hw-a"], "keys": {"…": {"keytype": "ed25519", …}}}`,
    )
    .action((folder: string, flags: ProposeFlags) =>
      changing(folder, (images) => proposeIn(images, flags)),
    );
}

async function proposeIn(images: ImageRepository, flags: ProposeFlags): Promise<void> {
  if (flags.discard) await images.discard();
  const changes = [...(await imageChanges(images, flags)), ...(await otherChanges(flags))];
  const renew = flags.renew ?? [];
  for (const text of flags.import ?? []) {
    const [role, file] = pairOf('--import', text);
    await images.importRole(role, await readFile(file));
  }
  for (const file of flags.image ?? []) await keepImage(images, file);
  if (changes.length > 0 || renew.length > 0) {
    const { inOrder } = await import('../../../uptane/repository/index.js');
    const lost = await images.propose({ change: inOrder(changes), renew, now: new Date() });
    for (const role of lost) print(`${role} has changed: its signatures are dropped.`);
  } else if (!flags.discard && flags.import === undefined && flags.image === undefined) {
    throw new UsageError('nothing to propose; see otaops repository propose --help');
  }
  const reviewed = await images.review(new Date());
  if (flags.discard && reviewed.lines.length === 0) print('The proposal is now empty.');
  else printReview(reviewed);
}

async function imageChanges(images: ImageRepository, flags: ProposeFlags): Promise<Change[]> {
  const { addTarget, describeImage, removeTarget } =
    await import('../../../uptane/repository/index.js');
  const { role, add = [], remove = [], hardwareId = [], releaseCounter } = flags;
  const changes: Change[] = [];
  for (const text of add) {
    if (hardwareId.length === 0 || releaseCounter === undefined) {
      throw new UsageError('--add needs --hardware-id and --release-counter');
    }
    const [path, file] = pairOf('--add', text);
    await checkFile(file);
    const facts = { hardwareIds: hardwareId, releaseCounter };
    const target = await describeImage(createReadStream(file), facts);
    await images.keepImage(target.hashes.sha256 ?? '', createReadStream(file));
    changes.push(addTarget(role, path, target));
  }
  for (const path of remove) changes.push(removeTarget(role, path));
  return changes;
}

async function otherChanges(flags: ProposeFlags): Promise<Change[]> {
  const { changeKeys, moveDelegation, readDelegationFile, removeDelegation, setDelegation } =
    await import('../../../uptane/repository/index.js');
  const { readPublicKeyFile } = await import('../../../uptane/signing/index.js');
  const { role: from } = flags;
  const changes: Change[] = [];
  for (const file of flags.delegate ?? []) {
    await checkFile(file);
    const { delegation, keys } = readDelegationFile(await readFile(file), file);
    changes.push(setDelegation(from, delegation, keys));
  }
  for (const role of flags.undelegate ?? []) changes.push(removeDelegation(from, role));
  for (const text of flags.priority ?? []) {
    const [role, place] = thresholdOf('--priority', text);
    changes.push(moveDelegation(from, role, place));
  }
  // Keys are added before others are removed, so that the threshold can be met throughout.
  for (const text of flags.addKey ?? []) {
    const [role, file] = pairOf('--add-key', text);
    changes.push(changeKeys(role, { add: [await readPublicKeyFile(file)] }));
  }
  for (const text of flags.removeKey ?? []) {
    const [role, key] = pairOf('--remove-key', text);
    changes.push(changeKeys(role, { remove: [await keyIdOf('--remove-key', key)] }));
  }
  for (const text of flags.threshold ?? []) {
    const [role, threshold] = thresholdOf('--threshold', text);
    changes.push(changeKeys(role, { threshold }));
  }
  return changes;
}

async function keepImage(images: ImageRepository, file: string): Promise<void> {
  await checkFile(file);
  const { describeImage } = await import('../../../uptane/repository/index.js');
  const facts = { hardwareIds: ['any'], releaseCounter: 0 };
  const { hashes } = await describeImage(createReadStream(file), facts);
  await images.keepImage(hashes.sha256 ?? '', createReadStream(file));
}

async function checkFile(file: string): Promise<void> {
  const isFile = await stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isFile) throw new UsageError(`no such file: ${file}`);
}
