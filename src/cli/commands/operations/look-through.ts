/** `otaops operations vehicles`, `export` and `audit`: commands that list all rows. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Command, Option } from 'commander';
import {
  type ExportFormat,
  insightApi,
  operationApi,
  operationAuditApi,
} from '../../../contract/adapter-api/index.js';
import { auditApi } from '../../../contract/index.js';
import { serverCommand, clientOf, collect, type CommonFlags } from '../../server-command.js';
import { limitOption, stateOption } from '../../options.js';
import { printJson, printTable } from '../../output.js';
import { printVehicles } from './shown.js';

interface Limited extends CommonFlags {
  readonly limit: number;
}

export function lookThroughCommands(operations: Command): void {
  serverCommand(operations, {
    usage: 'vehicles <ref-id>',
    description: 'the vehicles of an operation, by state, reason or VIN',
    examples: [
      'otaops operations vehicles fix --state download_fail',
      'otaops operations vehicles fix --reported-reason "Network Failure"',
      'otaops operations vehicles fix --vin 5YJ --limit 10',
    ],
  })
    .addOption(stateOption('only in this state'))
    .option('--reported-reason <text>', 'only those whose vehicle reported this reason')
    .option('--vin <vin>', 'only VINs with this prefix')
    .addOption(limitOption(100))
    .action(
      async (
        refId: string,
        flags: Limited & { state?: string; reportedReason?: string; vin?: string },
      ) => {
        const client = await clientOf(flags);
        const { state, reportedReason: reason, vin, limit } = flags;
        const asked = { params: { 'ref-id': refId }, query: { state, reason, vin } };
        const items = await collect(client.items(operationApi.listOperationVehicles, asked, limit));
        if (flags.json) printJson(items);
        else printVehicles(items);
      },
    );

  serverCommand(operations, {
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
        flags: CommonFlags & { format: ExportFormat; state?: string; output?: string },
      ) => {
        const client = await clientOf(flags);
        const format = flags.json ? 'ndjson' : flags.format;
        const asked = { params: { 'ref-id': refId }, query: { format, state: flags.state } };
        const { body } = await client.open(insightApi.exportVehicles, asked);
        const out = flags.output === undefined ? process.stdout : createWriteStream(flags.output);
        await pipeline(Readable.fromWeb(body as never), out, { end: out !== process.stdout });
      },
    );

  serverCommand(operations, {
    usage: 'audit [ref-id]',
    description: 'audit log: who did what, when and why',
    examples: ['otaops operations audit fix'],
  })
    .addOption(limitOption(100))
    .action(async (refId: string | undefined, flags: Limited) => {
      const client = await clientOf(flags);
      const found =
        refId === undefined
          ? client.items(auditApi.listAudit, {}, flags.limit)
          : client.items(
              operationAuditApi.listOperationAudit,
              { params: { 'ref-id': refId } },
              flags.limit,
            );
      const items = await collect(found);
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
