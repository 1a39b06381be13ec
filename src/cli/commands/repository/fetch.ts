/** `otaops repository fetch`: a copy of a published repository, for a supplier or to replace a lost folder. */
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command } from 'commander';
import { print } from '../../output.js';
import { UsageError } from '../../usage-error.js';

interface FetchFlags {
  readonly from: string;
  readonly root: string;
  readonly images?: boolean;
}

export function fetchCommand(repository: Command): void {
  repository
    .command('fetch')
    .description('copy and verify a repository’s published metadata, as the basis of proposals')
    .argument('<folder>', 'created if missing')
    .requiredOption(
      '--from <url>',
      'of the image repository, e.g. https://ota.example/uptane/image',
    )
    .requiredOption('--root <file>', 'its first root, with which vehicles are provisioned')
    .option('--images', 'also fetch the images, to replace a lost folder')
    .action(async (folder: string, { from, root, images }: FetchFlags) => {
      const { exclusively, fetchImages, fetchRepository, FolderFiles } =
        await import('../../../uptane/repository/index.js');
      const { HttpFetcher } = await import('../../../uptane/transfer/http-fetcher.js');
      const at = (part: string) => new HttpFetcher(partUrl(from, part));
      const firstRoot = await readFile(root);
      mkdirSync(folder, { recursive: true });
      const written = await exclusively(join(folder, 'lock'), async () => [
        ...(await fetchRepository(new FolderFiles(folder), at('metadata'), firstRoot, new Date())),
        ...(images ? await fetchImages(folder, at('targets'), new Date()) : []),
      ]);
      for (const path of written) print(`Fetched ${path}`);
      if (written.length === 0) print('Nothing is new.');
    });
}

function partUrl(text: string, part: string): URL {
  const url = URL.canParse(text) ? new URL(`${text.replace(/\/$/, '')}/${part}`) : undefined;
  if (url && /^https?:$/.test(url.protocol)) return url;
  throw new UsageError(`--from ${text}: expected an address like https://ota.example/uptane/image`);
}
