/** `otaops dossier export`: the dossier of a schedule, into a file. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Command, Option } from 'commander';
import { dossierApi } from '../../../contract/carota-api/index.js';
import { print } from '../../output.js';
import { connect, type ServerAddress } from '../../server-client.js';
import { addExamples, CAROTA_SETTINGS } from '../../server-command.js';
import { addSettings } from '../../settings/index.js';

interface ExportFlags extends ServerAddress {
  readonly output?: string;
  readonly format: 'jsonl' | 'pdf';
  readonly pseudonymous?: boolean;
}

export function exportCommand(dossier: Command): void {
  const command = dossier
    .command('export <ref-id>')
    .description('write the dossier of a schedule to a file')
    .option('-o, --output <file>', 'default: <ref-id>.jsonl or .pdf')
    .addOption(new Option('--format <format>').choices(['jsonl', 'pdf']).default('jsonl'))
    .option('--pseudonymous', 'pseudonyms in place of VINs and serial numbers, for archives')
    .action(async (refId: string, flags: ExportFlags) => {
      const { format, pseudonymous = false } = flags;
      const output = flags.output ?? `${refId.replaceAll(/[^\p{L}\p{N}._-]/gu, '_')}.${format}`;
      const client = await connect(flags);
      const request = { params: { 'ref-id': refId }, query: { format, pseudonymous } };
      const { body } = await client.open(dossierApi.getDossier, request);
      if (!body) throw new Error('the answer has no content');
      await writeAtomically(Readable.fromWeb(body), output);
      print(output);
    });
  addExamples(command, [
    'otaops dossier export "schedule 0909"',
    'otaops dossier export "schedule 0909" --format pdf -o record.pdf',
    'otaops dossier export "schedule 0909" --pseudonymous -o archive/0909.jsonl',
  ]);
  addSettings(command, CAROTA_SETTINGS);
}

/** All of it, or no file. */
async function writeAtomically(content: Readable, output: string): Promise<void> {
  const partial = `${output}.partial`;
  try {
    await pipeline(content, createWriteStream(partial, { mode: 0o600 }));
    await rename(partial, output);
  } finally {
    await rm(partial, { force: true });
  }
}
