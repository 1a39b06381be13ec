/** `otaops repository publish` and `refresh` */
import { type Command } from 'commander';
import { type ImageRepository } from '../../../uptane/repository/index.js';
import { type Signer } from '../../../uptane/signing/index.js';
import { print } from '../../output.js';
import {
  addSignerOptions,
  type OpenedSigners,
  openSigners,
  type SignerFlags,
} from '../../signers.js';
import { changing } from './folder.js';

type Publication = Awaited<ReturnType<ImageRepository['publish']>>;

export function publishCommand(repository: Command): void {
  signingCommand(
    repository,
    'publish',
    'verify the proposal like a vehicle, and publish it',
    (images, signers) => images.publish(signers, new Date()),
  );
}

export function refreshCommand(repository: Command): void {
  signingCommand(
    repository,
    'refresh',
    'sign a new timestamp, and a new snapshot if due',
    (images, signers) => images.refresh(signers, new Date()),
  );
}

/** A command with the keys of snapshot and timestamp. */
function signingCommand(
  repository: Command,
  name: string,
  description: string,
  publish: (images: ImageRepository, signers: readonly Signer[]) => Promise<Publication>,
): void {
  const command = repository
    .command(name)
    .description(description)
    .argument('<folder>', 'the repository')
    .addHelpText('after', '\nThe keys must be those of snapshot and timestamp.');
  addSignerOptions(command);
  command.action((folder: string, flags: SignerFlags) =>
    changing(folder, async (images) => {
      const opened = await signersFor(images, flags);
      try {
        tell(
          await publish(
            images,
            opened.signers.map(({ signer }) => signer),
          ),
        );
      } finally {
        opened.close();
      }
    }),
  );
}

/** The root of a Director is all that is published of it, and needs no online key. */
async function signersFor(images: ImageRepository, flags: SignerFlags): Promise<OpenedSigners> {
  const { kind } = (await images.read()).published;
  return kind === 'director' ? { signers: [], close: () => undefined } : openSigners(flags);
}

function tell({ written, isSeamless }: Publication): void {
  for (const path of written) print(`Published ${path}`);
  if (!isSeamless) {
    print('Vehicles that fetched root before the new timestamp must start another cycle.');
  }
}
