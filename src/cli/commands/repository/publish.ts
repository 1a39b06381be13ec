/** `otaops repository publish` and `refresh` */
import { type Command } from 'commander';
import { print } from '../../output.js';
import { addSignerOptions, openSigners, type SignerFlags } from '../../signers.js';
import { changing } from './folder.js';

export function publishCommand(repository: Command): void {
  const command = repository
    .command('publish')
    .description('verify the proposal like a vehicle, and publish it')
    .argument('<folder>', 'the repository')
    .addHelpText('after', '\nThe keys are those of snapshot and timestamp.');
  addSignerOptions(command);
  command.action((folder: string, flags: SignerFlags) =>
    changing(folder, async (images) => {
      const opened = await openSigners(flags);
      try {
        const signers = opened.signers.map(({ signer }) => signer);
        const { written, isSeamless } = await images.publish(signers, new Date());
        for (const path of written) print(`Published ${path}`);
        if (!isSeamless) {
          print('Vehicles that fetched root before the new timestamp must start another cycle.');
        }
      } finally {
        opened.close();
      }
    }),
  );
}

export function refreshCommand(repository: Command): void {
  const command = repository
    .command('refresh')
    .description('sign a new timestamp, and a new snapshot if due')
    .argument('<folder>', 'the repository')
    .addHelpText('after', '\nThe keys are those of snapshot and timestamp.');
  addSignerOptions(command);
  command.action((folder: string, flags: SignerFlags) =>
    changing(folder, async (images) => {
      const opened = await openSigners(flags);
      try {
        const signers = opened.signers.map(({ signer }) => signer);
        const { written } = await images.refresh(signers, new Date());
        for (const path of written) print(`Published ${path}`);
      } finally {
        opened.close();
      }
    }),
  );
}
