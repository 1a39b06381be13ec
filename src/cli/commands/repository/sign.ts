/** `otaops repository sign` */
import { type Command } from 'commander';
import { type ImageRepository, type Review } from '../../../uptane/repository/index.js';
import { confirm } from '../../confirm.js';
import { print } from '../../output.js';
import {
  addSignerOptions,
  collect,
  type NamedSigner,
  openSigners,
  type SignerFlags,
} from '../../signers.js';
import { UsageError } from '../../usage-error.js';
import { changing } from './folder.js';
import { printReview } from './review-output.js';

interface SignFlags extends SignerFlags {
  readonly role?: string[];
  readonly yes?: boolean;
  readonly from?: string[];
}

export function signCommand(repository: Command): void {
  const command = repository
    .command('sign')
    .description('show the proposal, ask for confirmation, and add signatures')
    .argument('<folder>', 'the repository')
    .option('--role <role>', 'only this role; repeatable (default: all roles of the key)', collect)
    .option('--yes', 'do not ask')
    .option(
      '--from <folder>',
      'collect signatures from another copy of the folder instead',
      collect,
    );
  addSignerOptions(command);
  command.action((folder: string, flags: SignFlags) =>
    changing(folder, (images) =>
      flags.from === undefined ? signIn(images, flags) : collectInto(images, flags.from),
    ),
  );
}

async function collectInto(images: ImageRepository, folders: readonly string[]): Promise<void> {
  const { FolderFiles } = await import('../../../uptane/repository/index.js');
  for (const folder of folders) {
    const collected = await images.collect(new FolderFiles(folder));
    for (const text of collected) print(`Collected ${text}`);
    if (collected.length === 0) print(`${folder} has no further signatures.`);
  }
}

async function signIn(images: ImageRepository, flags: SignFlags): Promise<void> {
  const opened = await openSigners(flags);
  try {
    const reviewed = await images.review(new Date());
    printReview(reviewed);
    if (reviewed.faults.length > 0) throw new Error('the proposal cannot be signed');
    for (const signer of opened.signers) await signBy(images, reviewed, signer, flags);
  } finally {
    opened.close();
  }
}

async function signBy(
  images: ImageRepository,
  reviewed: Review,
  { signer, recordPath }: NamedSigner,
  { role: roles, yes }: SignFlags,
): Promise<void> {
  const { signableBy, SigningRecord, signReviewed } =
    await import('../../../uptane/repository/index.js');
  const files = signableBy(reviewed, signer.keyId).filter(
    ({ role }) => roles === undefined || roles.includes(role),
  );
  const record =
    recordPath === undefined ? undefined : new SigningRecord(recordPath, reviewed.published.kind);
  const warnings = files.flatMap((file) => record?.check(file) ?? []);
  print();
  for (const warning of warnings) print(`Note: ${warning}.`);
  const what = files.map(({ role, content }) => `${role} version ${content.version}`).join(' and ');
  const isWanted =
    files.length === 0 || (await confirm(`Sign ${what} with the key ${signer.keyId}?`, yes));
  if (!isWanted) throw new UsageError('nothing was signed');
  const added = await signReviewed(reviewed, signer, roles);
  for (const file of files) record?.add(file);
  await images.addSignatures(reviewed, added);
  for (const { role, version } of added) print(`Signed ${role} version ${version}.`);
}
