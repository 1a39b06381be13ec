/** `otaops operations vehicles`, `export` and `audit`: through all rows. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Command, Option } from 'commander';
import { path } from '../../adapter-client.js';
import { adapterCommand, clientOf, collect, type CommonFlags } from '../../adapter-command.js';
import { limitOption, stateOption } from '../../options.js';
import { printJson, printTable } from '../../output.js';
import { OPERATIONS, printVehicles, type VehicleShown } from './shown.js';

interface Limited extends CommonFlags {
  readonly limit: number;
}

export function lookThroughCommands(operations: Command): void {
  adapterCommand(operations, {
    usage: 'vehicles <ref-id>',
    description: 'the vehicles of an operation, by state, reason or VIN',
    examples: [
      'otaops operations vehicles fix --state download_fail',
      'otaops operations vehicles fix --vin 5YJ --limit 10',
    ],
  })
    .addOption(stateOption('only in this state'))
    .option('--reason <reason>', 'only with this reason')
    .option('--vin <vin>', 'only VINs that begin with this')
    .addOption(limitOption(100))
    .action(
      async (refId: string, flags: Limited & { state?: string; reason?: string; vin?: string }) => {
        const client = await clientOf(flags);
        const { state, reason, vin, limit } = flags;
        const parts = [...OPERATIONS, refId, 'vehicles'];
        const items = await collect(
          client.items<VehicleShown>(parts, { state, reason, vin }, limit),
        );
        if (flags.json) printJson(items);
        else printVehicles(items);
      },
    );

  adapterCommand(operations, {
    usage: 'export <ref-id>',
    description: 'all vehicles as CSV or NDJSON',
    examples: [
      'otaops operations export fix > fix.csv',
      'otaops operations export fix --format ndjson --output fix.ndjson',
    ],
  })
    .addOption(new Option('--format <format>').choices(['csv', 'ndjson']).default('csv'))
    .addOption(stateOption('only in this state'))
    .option('-o, --output <file>', 'write to this file instead of standard output')
    .action(
      async (
        refId: string,
        flags: CommonFlags & { format: string; state?: string; output?: string },
      ) => {
        const client = await clientOf(flags);
        const format = flags.json ? 'ndjson' : flags.format;
        const query = { format, state: flags.state };
        const body = await client.stream(path([...OPERATIONS, refId, 'export'], query));
        const out = flags.output === undefined ? process.stdout : createWriteStream(flags.output);
        await pipeline(Readable.fromWeb(body as never), out, { end: out !== process.stdout });
      },
    );

  adapterCommand(operations, {
    usage: 'audit [ref-id]',
    description: 'who has done what, when and why',
    examples: ['otaops operations audit fix'],
  })
    .addOption(limitOption(100))
    .action(async (refId: string | undefined, flags: Limited) => {
      const client = await clientOf(flags);
      const parts = refId === undefined ? ['audit'] : [...OPERATIONS, refId, 'audit'];
      const items = await collect(client.items<AuditShown>(parts, {}, flags.limit));
      if (flags.json) {
        printJson(items);
        return;
      }
      printTable(
        ['at', 'who', 'action', 'ref-id', 'vin', 'why', 'detail'],
        items.map((entry) => [
          entry.at,
          entry.tokenName,
          entry.action,
          entry['ref-id'],
          entry.vin,
          entry.reason,
          JSON.stringify(entry.detail),
        ]),
      );
    });
}

interface AuditShown {
  readonly at: string;
  readonly tokenName: string;
  readonly action: string;
  readonly 'ref-id': string | null;
  readonly vin: string | null;
  readonly reason: string;
  readonly detail: object;
}
