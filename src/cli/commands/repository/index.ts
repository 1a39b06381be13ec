/** `otaops repository`: key ceremonies of the image repository, in a folder that can be copied to other machines. */
import { type Command } from 'commander';
import { deliverCommand } from './deliver.js';
import { fetchCommand } from './fetch.js';
import { initCommand } from './init.js';
import { revokeCommand, rotateCommand } from './key-changes.js';
import { proposeCommand } from './propose.js';
import { publishCommand, refreshCommand } from './publish.js';
import { signCommand } from './sign.js';
import { statusCommand } from './status.js';

export function repositoryCommand(program: Command): void {
  const repository = program
    .command('repository')
    .description('key ceremonies of the Uptane image repository: propose, sign, publish')
    .addHelpText(
      'after',
      `
The folder contains the published files (metadata/, targets/) and the proposal (proposal/), never a private key.
See docs/key-ceremonies.md.

Example:
  otaops repository propose repo --add brakes/fw.bin=build/fw.bin --hardware-id hw-a --release-counter 7
  otaops repository sign repo --key alice.key
  otaops repository publish repo --signer /run/otaops/signer`,
    );
  initCommand(repository);
  proposeCommand(repository);
  signCommand(repository);
  publishCommand(repository);
  refreshCommand(repository);
  rotateCommand(repository);
  revokeCommand(repository);
  statusCommand(repository);
  fetchCommand(repository);
  deliverCommand(repository);
}
