/** `otaops tuf-client`: a TUF client with the command line of the public conformance suite. */
import { type Command } from 'commander';
import { print } from '../output.js';
import { option } from '../options.js';
import { parseUrl } from '../settings/parsers.js';

import { UsageError } from '../usage-error.js';
const parseHttpUrl = parseUrl('http:', 'https:');

interface TufFlags {
  readonly metadataDir?: string;
  readonly metadataUrl?: string;
  readonly targetName?: string[];
  readonly targetBaseUrl?: string;
  readonly targetDir?: string;
}

export function tufClientCommand(program: Command): void {
  const command = program
    .command('tuf-client')
    .description('TUF client for conformance tests: verifies one repository')
    .option('--metadata-dir <folder>', 'directory of trusted metadata')
    .addOption(option('--metadata-url <url>', 'URL of the repository’s metadata', parseHttpUrl))
    .option('--target-name <path>', 'target to download; repeatable', collect)
    .addOption(option('--target-base-url <url>', 'URL of the repository’s targets', parseHttpUrl))
    .option('--target-dir <folder>', 'directory for downloaded targets')
    .addHelpText(
      'after',
      `
Example:
  otaops tuf-client --metadata-dir md init root.json
  otaops tuf-client --metadata-dir md --metadata-url http://127.0.0.1:8000/metadata refresh`,
    );
  command
    .command('init')
    .description('set the initial trusted root')
    .argument('<trusted-root>', 'file with the root metadata')
    .action(async (rootFile: string) => {
      const { initTuf } = await import('../../uptane/index.js');
      await initTuf(needed(flagsOf(command), 'metadataDir'), rootFile);
    });
  command
    .command('refresh')
    .description('update the top-level metadata')
    .action(async () => {
      const { refreshTuf } = await import('../../uptane/index.js');
      await refreshTuf(repositoryOf(flagsOf(command)));
    });
  command
    .command('download')
    .description('update the metadata, then download and verify targets')
    .action(async () => {
      const { downloadTuf } = await import('../../uptane/index.js');
      const flags = flagsOf(command);
      await downloadTuf({
        ...repositoryOf(flags),
        targets: needed(flags, 'targetName'),
        targetsUrl: new URL(needed(flags, 'targetBaseUrl')),
        targetsDirectory: needed(flags, 'targetDir'),
      });
      print('Downloaded and verified.');
    });
}

const collect = (path: string, before: string[] = []) => [...before, path];

const flagsOf = (command: Command) => command.opts<TufFlags>();

const repositoryOf = (flags: TufFlags) => ({
  metadataDirectory: needed(flags, 'metadataDir'),
  metadataUrl: new URL(needed(flags, 'metadataUrl')),
});

const FLAGS: Readonly<Record<keyof TufFlags, string>> = {
  metadataDir: '--metadata-dir',
  metadataUrl: '--metadata-url',
  targetName: '--target-name',
  targetBaseUrl: '--target-base-url',
  targetDir: '--target-dir',
};

/** @throws UsageError */
function needed<K extends keyof TufFlags>(flags: TufFlags, name: K): NonNullable<TufFlags[K]> {
  const value = flags[name];
  if (value === undefined) throw new UsageError(`${FLAGS[name]} is required`);
  return value;
}
