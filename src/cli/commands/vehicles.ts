/** `otaops vehicles`: the registry, and search across operations. */
import { type Command } from 'commander';
import { insightApi, registryApi } from '../../contract/adapter-api/index.js';
import { serverCommand, clientOf, collect, type CommonFlags } from '../server-command.js';
import { print, printJson, printTable } from '../output.js';
import { limitOption } from '../options.js';
import { printVehicles } from './operations/index.js';
import { vehiclesImportCommand } from './vehicles-import.js';

interface RegisterFlags extends CommonFlags {
  readonly systemId: string;
  readonly deviceId?: string;
  readonly ecuType?: string;
  readonly model?: string;
}

interface Limited extends CommonFlags {
  readonly limit: number;
}

export function vehiclesCommand(program: Command): void {
  const vehicles = program
    .command('vehicles')
    .description('the registry, and search across operations');
  vehiclesImportCommand(vehicles);

  serverCommand(vehicles, {
    usage: 'register <vin>',
    description: 'register a vehicle, or change its registration; a new one gets a credential',
    examples: ['otaops vehicles register 5YJSA1E40FF345678 --system-id c2c-sys-1 --ecu-type TCU'],
  })
    .requiredOption('--system-id <id>', 'its client id at the MQTT broker')
    .option('--device-id <id>', 'its primary device')
    .option('--ecu-type <type>', 'type of the primary device')
    .option('--model <model>', 'vehicle model')
    .action(async (vin: string, flags: RegisterFlags) => {
      const { systemId, deviceId, ecuType, model } = flags;
      const client = await clientOf(flags);
      const answer = await client.call(registryApi.registerVehicle, {
        params: { vin },
        body: {
          system_id: systemId,
          ...(deviceId === undefined ? {} : { device_id: deviceId }),
          ...(ecuType === undefined ? {} : { ecu_type: ecuType }),
          ...(model === undefined ? {} : { model }),
        },
      });
      if (flags.json) printJson(answer);
      else print(`${answer.vin} is ${answer.system_id}`);
      if (!flags.json && answer.credential !== undefined) print(`credential ${answer.credential}`);
    });

  serverCommand(vehicles, {
    usage: 'list',
    description: 'list the registry in VIN order',
    examples: ['otaops vehicles list --limit 20'],
  })
    .addOption(limitOption(100))
    .action(async (flags: Limited) => {
      const client = await clientOf(flags);
      const items = await collect(client.items(registryApi.listRegistrations, {}, flags.limit));
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

  serverCommand(vehicles, {
    usage: 'find <vin>',
    description: 'find vehicles by VIN or prefix, with their states in all operations',
    examples: ['otaops vehicles find 5YJSA1E40FF345678', 'otaops vehicles find 5YJ --limit 20'],
  })
    .addOption(limitOption(100))
    .action(async (vin: string, flags: Limited) => {
      const client = await clientOf(flags);
      const found = client.items(insightApi.searchVehicles, { query: { vin } }, flags.limit);
      const items = await collect(found);
      if (flags.json) printJson(items);
      else printVehicles(items);
    });

  serverCommand(vehicles, {
    usage: 'remove <vin>',
    description: 'remove a vehicle from the registry; its operations and their history stay',
    examples: ['otaops vehicles remove 5YJSA1E40FF345678'],
  }).action(async (vin: string, flags: CommonFlags) => {
    await (await clientOf(flags)).call(registryApi.deleteRegistration, { params: { vin } });
    if (flags.json) printJson({ removed: vin });
    else print(`removed ${vin}`);
  });
}
