/** `otaops vehicles`: the registry, and search across operations. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type Command, Option } from 'commander';
import { path } from '../adapter-client.js';
import { adapterCommand, clientOf, collect, type CommonFlags } from '../adapter-command.js';
import { print, printJson, printTable } from '../output.js';
import { limitOption } from '../options.js';
import { printVehicles } from './operations/index.js';

interface ImportAnswer {
  readonly created: number;
  readonly updated: number;
  readonly rejectedCount: number;
  readonly rejected: readonly { line: number; errorCode: string; errorMessage: string }[];
}

interface Registered {
  readonly vin: string;
  readonly system_id: string;
  readonly device_id: string;
  readonly ecu_type: string;
  readonly model: string;
  readonly credential?: string;
}

interface RegisterFlags extends CommonFlags {
  readonly systemId: string;
  readonly deviceId?: string;
  readonly ecuType?: string;
  readonly model?: string;
}

interface Limited extends CommonFlags {
  readonly limit: number;
}

const TYPES = { csv: 'text/csv', ndjson: 'application/x-ndjson' } as const;

export function vehiclesCommand(program: Command): void {
  const vehicles = program
    .command('vehicles')
    .description('the registry, and search across operations');
  importCommand(vehicles);

  adapterCommand(vehicles, {
    usage: 'register <vin>',
    description: 'register a vehicle, or change its registration; a new one gets a credential',
    examples: ['otaops vehicles register 5YJSA1E40FF345678 --system-id c2c-sys-1 --ecu-type TCU'],
  })
    .requiredOption('--system-id <id>', 'its client id on the MQTT broker')
    .option('--device-id <id>', 'its primary device')
    .option('--ecu-type <type>', 'type of the primary device')
    .option('--model <model>', 'vehicle model')
    .action(async (vin: string, flags: RegisterFlags) => {
      const { systemId, deviceId, ecuType, model } = flags;
      const client = await clientOf(flags);
      const answer = await client.request<Registered>('PUT', path(['vehicles', vin]), {
        system_id: systemId,
        ...(deviceId === undefined ? {} : { device_id: deviceId }),
        ...(ecuType === undefined ? {} : { ecu_type: ecuType }),
        ...(model === undefined ? {} : { model }),
      });
      if (flags.json) printJson(answer);
      else print(`${answer.vin} is ${answer.system_id}`);
      if (!flags.json && answer.credential !== undefined) print(`credential ${answer.credential}`);
    });

  adapterCommand(vehicles, {
    usage: 'list',
    description: 'list the registry in VIN order',
    examples: ['otaops vehicles list --limit 20'],
  })
    .addOption(limitOption(100))
    .action(async (flags: Limited) => {
      const client = await clientOf(flags);
      const items = await collect(client.items<Registered>(['vehicles'], {}, flags.limit));
      if (flags.json) {
        printJson(items);
        return;
      }
      printTable(
        ['vin', 'system_id', 'device_id', 'ecu_type', 'model'],
        items.map((vehicle) => [
          vehicle.vin,
          vehicle.system_id,
          vehicle.device_id,
          vehicle.ecu_type,
          vehicle.model,
        ]),
      );
    });

  adapterCommand(vehicles, {
    usage: 'find <vin>',
    description: 'where vehicles with this beginning of the VIN stand, in all operations',
    examples: ['otaops vehicles find 5YJSA1E40FF345678', 'otaops vehicles find 5YJ --limit 20'],
  })
    .addOption(limitOption(100))
    .action(async (vin: string, flags: Limited) => {
      const client = await clientOf(flags);
      const found = client.items<Parameters<typeof printVehicles>[0][number]>(
        ['ota', 'vehicles'],
        { vin },
        flags.limit,
      );
      const items = await collect(found);
      if (flags.json) printJson(items);
      else printVehicles(items);
    });

  adapterCommand(vehicles, {
    usage: 'remove <vin>',
    description: 'remove a vehicle from the registry; its operations and their history stay',
    examples: ['otaops vehicles remove 5YJSA1E40FF345678'],
  }).action(async (vin: string, flags: CommonFlags) => {
    await (await clientOf(flags)).request('DELETE', path(['vehicles', vin]));
    if (flags.json) printJson({ removed: vin });
    else print(`removed ${vin}`);
  });
}

function importCommand(vehicles: Command): void {
  adapterCommand(vehicles, {
    usage: 'import <file>',
    description:
      'import vehicles from CSV or NDJSON, any number of lines; ends with 1 if some failed',
    examples: [
      'otaops vehicles import vehicles.csv      vin,system_id,device_id,ecu_type,model,credential',
      'otaops vehicles import vehicles.ndjson --json',
    ],
  })
    .addOption(
      new Option('--format <format>', 'default: by the name of the file').choices([
        'csv',
        'ndjson',
      ]),
    )
    .action(async (file: string, flags: CommonFlags & { format?: keyof typeof TYPES }) => {
      await stat(file);
      const format = flags.format ?? (/\.(ndjson|jsonl)$/i.test(file) ? 'ndjson' : 'csv');
      const client = await clientOf(flags);
      const answer = await client.upload<ImportAnswer>(path(['vehicles', 'import']), {
        contentType: TYPES[format],
        body: Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array>,
      });
      if (flags.json) printJson(answer);
      else tell(answer);
      if (answer.rejectedCount > 0) {
        throw new Error(`${answer.rejectedCount} lines were rejected; the others are imported`);
      }
    });
}

const MAX_SHOWN = 20;

function tell({ created, updated, rejected, rejectedCount }: ImportAnswer): void {
  print(`${created} created, ${updated} updated, ${rejectedCount} rejected`);
  for (const { line, errorCode, errorMessage } of rejected.slice(0, MAX_SHOWN)) {
    print(`  line ${line}: ${errorCode} ${errorMessage}`);
  }
  if (rejectedCount > MAX_SHOWN) print(`  … and ${rejectedCount - MAX_SHOWN} more`);
}
