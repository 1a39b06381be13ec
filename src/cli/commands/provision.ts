/** `provision` for a vehicle or a Secondary: reads initial trust from files. */
import { readFile } from 'node:fs/promises';
import { type Command } from 'commander';
import type { InitialTrust } from '../../vehicle/index.js';

export interface TrustFlags {
  readonly directorRoot: string;
  readonly imageRoot: string;
  readonly timeKey: string;
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
    .requiredOption('--time-key <file>', 'public key, or list of public keys, of the time server');

export async function initialTrust(flags: TrustFlags): Promise<InitialTrust> {
  const [directorRoot, imageRoot, timeKeys] = await Promise.all([
    readFile(flags.directorRoot),
    readFile(flags.imageRoot),
    readFile(flags.timeKey),
  ]);
  return { directorRoot, imageRoot, timeKeys, now: Date.now() };
}
