/** `otaops scripts`: the update scripts of the CarOTA Server, and deletion. */
import { type Command } from 'commander';
import { updateScriptApi } from '../../contract/carota-api/index.js';
import { limitOption } from '../options.js';
import { print, printJson, printTable } from '../output.js';
import {
  CAROTA_SETTINGS,
  clientOf,
  collect,
  type CommonFlags,
  serverCommand,
} from '../server-command.js';

export function scriptsCommand(program: Command): void {
  const scripts = program
    .command('scripts')
    .description('update scripts of the CarOTA Server: list, delete');

  serverCommand(
    scripts,
    {
      usage: 'list',
      description: 'list update scripts, sorted by script-ref-id',
      examples: ['otaops scripts list'],
    },
    CAROTA_SETTINGS,
  )
    .addOption(limitOption(1_000))
    .action(async (flags: CommonFlags & { limit: number }) => {
      const client = await clientOf(flags);
      const items = await collect(client.items(updateScriptApi.listScripts, {}, flags.limit));
      if (flags.json) {
        printJson(items);
        return;
      }
      printTable(
        ['script-ref-id', 'model', 'published', 'approved'],
        items.map(({ script, createdAt, approvedAt }) => [
          script['script-ref-id'],
          script.model,
          createdAt,
          approvedAt ?? '',
        ]),
      );
    });

  serverCommand(
    scripts,
    {
      usage: 'delete <script-ref-id>',
      description: 'delete an update script that no schedule and no image repository uses',
      examples: ['otaops scripts delete "hu only 001"'],
    },
    CAROTA_SETTINGS,
  ).action(async (scriptRefId: string, flags: CommonFlags) => {
    const client = await clientOf(flags);
    await client.call(updateScriptApi.deleteScript, { params: { 'script-ref-id': scriptRefId } });
    if (flags.json) printJson({ deleted: scriptRefId });
    else print(`deleted ${scriptRefId}`);
  });
}
