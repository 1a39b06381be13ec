/** `otaops artifacts`: stored artifacts of the CarOTA Server, storage use, deletion. */
import { type Command } from 'commander';
import { artifactApi, type Storage } from '../../contract/carota-api/index.js';
import { limitOption } from '../options.js';
import { print, printJson, printTable } from '../output.js';
import {
  CAROTA_SETTINGS,
  clientOf,
  collect,
  type CommonFlags,
  serverCommand,
} from '../server-command.js';

export function artifactsCommand(program: Command): void {
  const artifacts = program
    .command('artifacts')
    .description('artifacts of the CarOTA Server: list, delete, storage use');

  serverCommand(
    artifacts,
    {
      usage: 'list',
      description: 'list artifacts, sorted by SHA-256',
      examples: ['otaops artifacts list'],
    },
    CAROTA_SETTINGS,
  )
    .addOption(limitOption(1_000))
    .action(async (flags: CommonFlags & { limit: number }) => {
      const client = await clientOf(flags);
      const items = await collect(client.items(artifactApi.listArtifacts, {}, flags.limit));
      if (flags.json) {
        printJson(items);
        return;
      }
      printTable(
        ['sha256', 'bytes', 'uploaded', 'name'],
        items.map(({ sha256, size, createdAt, name }) => [sha256, String(size), createdAt, name]),
      );
    });

  serverCommand(
    artifacts,
    {
      usage: 'delete <sha256>',
      description: 'delete an artifact that no update script and no image repository uses',
      examples: ['otaops artifacts delete 3b1f…'],
    },
    CAROTA_SETTINGS,
  ).action(async (sha256: string, flags: CommonFlags) => {
    const client = await clientOf(flags);
    await client.call(artifactApi.deleteArtifact, { params: { sha256 } });
    if (flags.json) printJson({ deleted: sha256 });
    else print(`deleted ${sha256}`);
  });

  serverCommand(
    artifacts,
    {
      usage: 'room',
      description: 'show the storage use and limits of artifacts and update scripts',
      examples: ['otaops artifacts room --json'],
    },
    CAROTA_SETTINGS,
  ).action(async (flags: CommonFlags) => {
    const storage = await (await clientOf(flags)).call(artifactApi.getStorage, {});
    if (flags.json) {
      printJson(storage);
      return;
    }
    const row = (name: string, { number, maxNumber, bytes, maxBytes }: Storage['artifacts']) => [
      name,
      ...[number, maxNumber, bytes, maxBytes].map(String),
    ];
    printTable(
      ['', 'number', 'limit', 'bytes', 'limit'],
      [row('artifacts', storage.artifacts), row('update scripts', storage.scripts)],
    );
  });
}
