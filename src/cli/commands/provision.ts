/** `provision` for a vehicle or a Secondary: reads initial trust from files. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command } from 'commander';
import type { InitialTrust } from '../../vehicle/index.js';

export interface TrustFlags {
  readonly directorRoot: string;
  readonly imageRoot: string;
  readonly timeKey: string;
  readonly metadata?: string;
}

/** Adds the subcommand, which prints the registration for the Director. */
export const provisionCommand = (
  parent: Command,
  what: string,
  [flag, description]: readonly [flag: string, description: string],
): Command =>
  parent
    .command('provision')
    .description(`provision ${what}; prints its registration for the Director, as JSON`)
    .requiredOption(flag, description)
    .requiredOption('--director-root <file>', 'root of the Director to trust')
    .requiredOption('--image-root <file>', 'root of the image repository to trust')
    .requiredOption('--time-key <file>', 'public key, or list of public keys, of the time server')
    .option(
      '--metadata <folder>',
      'folder with timestamp, snapshot and targets of both repositories, under their published names in the subfolders director and image; without them, older ones are accepted until the first cycle',
    );

export async function initialTrust(flags: TrustFlags): Promise<InitialTrust> {
  const [directorRoot, imageRoot, timeKeys] = await Promise.all([
    readFile(flags.directorRoot),
    readFile(flags.imageRoot),
    readFile(flags.timeKey),
  ]);
  const metadata = flags.metadata === undefined ? undefined : await readBundle(flags.metadata);
  return { directorRoot, imageRoot, timeKeys, now: Date.now(), metadata };
}

/** @returns files by `<repository>/<name>` */
async function readBundle(folder: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const repository of ['director', 'image']) {
    for (const name of await readdir(join(folder, repository))) {
      if (!name.endsWith('.json')) continue;
      files.set(`${repository}/${name}`, await readFile(join(folder, repository, name)));
    }
  }
  return files;
}
