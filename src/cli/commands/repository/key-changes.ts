/** `otaops repository rotate` and `revoke` */
import { type Command } from 'commander';
import { print } from '../../output.js';
import { changing } from './folder.js';
import { printReview } from './review-output.js';
import { keyIdOf } from './role-flags.js';

interface RotateFlags {
  readonly role: string;
  readonly old: string;
  readonly new: string;
}

export function rotateCommand(repository: Command): void {
  repository
    .command('rotate')
    .description('propose another key for a role, in the place of one that is still in good hands')
    .argument('<folder>', 'the repository')
    .requiredOption('--role <role>', 'root, targets, snapshot, timestamp or a delegated role')
    .requiredOption('--old <keyid>', 'key that goes: its id, or its public key file')
    .requiredOption('--new <file>', 'public key that comes')
    .addHelpText(
      'after',
      `
Have the old key sign the proposal a last time, too: vehicles then accept the repository at every moment of the change.`,
    )
    .action((folder: string, flags: RotateFlags) =>
      changing(folder, async (images) => {
        const { changeKeys } = await import('../../../uptane/repository/index.js');
        const { readPublicKeyFile } = await import('../../../uptane/signing/index.js');
        const change = changeKeys(flags.role, {
          remove: [await keyIdOf('--old', flags.old)],
          add: [await readPublicKeyFile(flags.new)],
        });
        const now = new Date();
        await images.propose({ change, now });
        printReview(await images.review(now));
      }),
    );
}

interface RevokeFlags {
  readonly keyId: string;
  readonly new?: string;
}

export function revokeCommand(repository: Command): void {
  repository
    .command('revoke')
    .description('propose to take a lost or stolen key out of every role that has it')
    .argument('<folder>', 'the repository')
    .requiredOption('--key-id <keyid>', 'key that goes: its id, or its public key file')
    .option('--new <file>', 'public key that takes its place')
    .action((folder: string, flags: RevokeFlags) =>
      changing(folder, async (images) => {
        const { revokeKey, rolesOfKey } = await import('../../../uptane/repository/index.js');
        const { readPublicKeyFile } = await import('../../../uptane/signing/index.js');
        const keyId = await keyIdOf('--key-id', flags.keyId);
        const roles = rolesOfKey(await images.state(), keyId);
        const replacement =
          flags.new === undefined ? undefined : await readPublicKeyFile(flags.new);
        const now = new Date();
        await images.propose({ change: revokeKey(keyId, replacement), now });
        print(`The key signs ${roles.join(', ')}; in this proposal it does not any more.`);
        printReview(await images.review(now));
      }),
    );
}
