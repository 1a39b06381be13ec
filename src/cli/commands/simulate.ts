/** `otaops simulate`: a fleet of simulated vehicles against a running adapter. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command } from 'commander';
import { registryApi, triggerApi } from '../../contract/adapter-api/index.js';
import type { Fleet, FleetCounts } from '../../fleet/index.js';
import { print, printError } from '../output.js';
import { connect, type ServerAddress } from '../server-client.js';
import { SERVER_SETTINGS } from '../server-command.js';
import {
  addSettings,
  LOCAL_BROKER,
  MQTT_URL,
  SEED,
  SPEED,
  vehiclesSetting,
} from '../settings/index.js';
import { stopRequested } from '../stop-signals.js';

interface SimulateFlags extends ServerAddress {
  readonly mqttUrl: string;
  readonly vehicles: number;
  readonly seed: number;
  readonly speed: number;
  readonly trigger?: string;
  readonly register: boolean;
}

const REPORT_MS = 2_000;
const REGISTER_BATCH = 10_000;

export function simulateCommand(program: Command): void {
  const command = program
    .command('simulate')
    .description('run simulated vehicles against an adapter')
    .option('--trigger <ref-id>', 'trigger an operation for all of them')
    .option('--no-register', 'the vehicles are already registered')
    .addHelpText(
      'after',
      `
Example, beside a running otaops serve:
  otaops simulate --vehicles 10000 --seed 7 --trigger "schedule 7"`,
    );
  addSettings(command, [
    vehiclesSetting(100),
    SEED,
    SPEED,
    { ...MQTT_URL, default: LOCAL_BROKER },
    ...SERVER_SETTINGS,
  ]);
  command.action(async (options: SimulateFlags) => {
    const stopping = stopRequested();
    const { Fleet, fleetOf, registrationLine } = await import('../../fleet/index.js');
    const vehicles = fleetOf(options.vehicles);
    const client = await connect(options);
    if (options.register) {
      for (let start = 0; start < vehicles.length; start += REGISTER_BATCH) {
        const lines = vehicles.slice(start, start + REGISTER_BATCH).map(registrationLine);
        const body = lines.join('\n');
        const content = { type: 'application/x-ndjson', body };
        await client.call(registryApi.importVehicles, { content });
      }
      print(`registered ${vehicles.length} vehicles`);
    }
    const problems = new Map<string, number>();
    const fleet = new Fleet({
      ...options,
      vehicles,
      onError: (_vin, error) => {
        // Each kind of problem is reported once; ten thousand vehicles would fill the screen.
        const times = (problems.get(error.message) ?? 0) + 1;
        problems.set(error.message, times);
        if (times === 1) printError(`a vehicle’s connection: ${error.message}`);
      },
    });
    fleet.start();
    if (options.trigger !== undefined) {
      const answer = await client.call(triggerApi.trigger, {
        body: {
          time: Date.now(),
          version: 'v1',
          body: {
            model: 'vehicle model a',
            'ref-id': options.trigger,
            'script-ref-id': 'hu only 001',
            vins: vehicles.map(({ vin }) => vin),
          },
        },
      });
      print(JSON.stringify(answer));
    }
    const ended = new AbortController();
    const reporting = report(fleet, ended.signal);
    await stopping;
    ended.abort();
    await reporting;
    await fleet.stop();
  });
}

async function report(fleet: Fleet, signal: AbortSignal): Promise<void> {
  let last = '';
  while (!signal.aborted) {
    const line = describe(fleet.counts);
    if (line !== last) print(line);
    last = line;
    await sleep(REPORT_MS, undefined, { signal }).catch(() => undefined);
  }
}

function describe(counts: FleetCounts): string {
  const outcomes = Object.entries(counts.outcomes).map(([outcome, n]) => `${outcome} ${n}`);
  return `${counts.switchedOn} on, ${counts.triggersTaken} triggered, ${counts.messagesDelivered} messages delivered, ${counts.updatesEnded} ended${outcomes.length > 0 ? `: ${outcomes.join(', ')}` : ''}`;
}
