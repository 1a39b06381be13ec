/** `otaops vehicles import`: CSV or NDJSON of any length into the registry. */
import { type Command, Option } from 'commander';
import { type ImportResult, registryApi } from '../../contract/adapter-api/index.js';
import { rejectionGroups } from '../../contract/index.js';
import { print, printJson } from '../output.js';
import { clientOf, type CommonFlags, serverCommand } from '../server-command.js';
import { uploadOf } from '../upload-progress.js';

const TYPES = { csv: 'text/csv', ndjson: 'application/x-ndjson' } as const;
/** Maximum number of reasons shown. */
const MAX_SHOWN = 20;

export function vehiclesImportCommand(vehicles: Command): void {
  serverCommand(vehicles, {
    usage: 'import <file>',
    description: 'import vehicles from CSV or NDJSON of any length; exits with 1 if lines failed',
    examples: [
      'otaops vehicles import vehicles.csv      vin,system_id,device_id,ecu_type,model,credential',
      'otaops vehicles import vehicles.ndjson --json',
    ],
  })
    .addOption(
      new Option('--format <format>', 'default: by file extension').choices(['csv', 'ndjson']),
    )
    .action(async (file: string, flags: CommonFlags & { format?: keyof typeof TYPES }) => {
      const format = flags.format ?? (/\.(ndjson|jsonl)$/i.test(file) ? 'ndjson' : 'csv');
      const client = await clientOf(flags);
      const upload = await uploadOf(file, process.stderr);
      const content = { type: TYPES[format], body: upload.body };
      const answer = await client
        .call(registryApi.importVehicles, { content })
        .finally(() => upload.done());
      if (flags.json) printJson(answer);
      else tell(answer);
      const { rejectedCount } = answer;
      if (rejectedCount > 0) {
        const lines = rejectedCount === 1 ? 'line was' : 'lines were';
        throw new Error(`${rejectedCount} ${lines} rejected; the others are imported`);
      }
    });
}

function tell({ created, updated, rejected, rejectedCount }: ImportResult): void {
  print(`${created} created, ${updated} updated, ${rejectedCount} rejected`);
  if (rejectedCount > rejected.length) {
    print(`  reasons of the first ${rejected.length} rejected lines:`);
  }
  const groups = rejectionGroups(rejected);
  for (const { errorCode, errorMessage, lines, ranges } of groups.slice(0, MAX_SHOWN)) {
    const which = lines === 1 ? `line ${ranges}` : `${lines} lines (${ranges})`;
    print(`  ${which}: ${errorCode} ${errorMessage}`);
  }
  const more = groups.length - MAX_SHOWN;
  if (more > 0) print(`  … and ${more} more ${more === 1 ? 'reason' : 'reasons'}`);
}
