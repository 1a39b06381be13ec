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
    .description('propose to replace a key that is not compromised')
    .argument('<folder>', 'the repository')
    .requiredOption('--role <role>', 'root, targets, snapshot, timestamp or a delegated role')
    .requiredOption('--old <keyid>', 'key to remove: its id, or its public key file')
    .requiredOption('--new <file>', 'new public key')
    .addHelpText(
      'after',
      `
Sign the proposal with the old key as well, so that vehicles accept the repository throughout the change.`,
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
    .description('propose to remove a lost or stolen key from all its roles')
    .argument('<folder>', 'the repository')
    .requiredOption('--key-id <keyid>', 'key to remove: its id, or its public key file')
    .option('--new <file>', 'public key that replaces it')
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
        print(`The key signs ${roles.join(', ')}; the proposal removes it from them.`);
        printReview(await images.review(now));
      }),
    );
}
