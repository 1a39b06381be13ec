/** `otaops quickstart`: what `npm start` runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command } from 'commander';
import type { Quickstart } from '../../quickstart/index.js';
import { SEED_TRIGGER } from '../../quickstart/seed-trigger.js';
import { limitHeapGrowth } from '../heap-growth.js';
import { serviceLog } from '../log.js';
import { print, printError } from '../output.js';
import { progressView, type ProgressView } from '../progress-view.js';
import {
  addSettings,
  CAROTA_PORT,
  DATA_DIR,
  HOST,
  HTTP_PORT,
  LOG_LEVEL,
  MQTT_PORT,
  SEED,
  SPEED,
  vehiclesSetting,
} from '../settings/index.js';
import { stopRequested } from '../stop-signals.js';

interface QuickstartFlags {
  readonly host: string;
  readonly httpPort: number;
  readonly mqttPort: number;
  readonly carotaPort: number;
  readonly dataDir: string;
  readonly vehicles: number;
  readonly seed: number;
  readonly speed: number;
  readonly logLevel: string;
}

const REFRESH_MS = 500;

export function quickstartCommand(program: Command): void {
  const command = program
    .command('quickstart')
    .description(
      'demonstration on this machine: CarOTA Server, adapter, vehicles and the first campaigns',
    );
  addSettings(command, [
    HOST,
    HTTP_PORT,
    MQTT_PORT,
    CAROTA_PORT,
    DATA_DIR,
    vehiclesSetting(200),
    { ...SEED, default: 4 },
    { ...SPEED, default: 60 },
    { ...LOG_LEVEL, default: 'warn' },
  ]);
  command.action(async (options: QuickstartFlags) => {
    limitHeapGrowth();
    const stopping = stopRequested();
    const view = progressView(process.stdout);
    const log = serviceLog(options.logLevel, logStream(view));
    print('Starting: this takes a few seconds.');
    const { startQuickstart } = await import('../../quickstart/index.js');
    const quickstart = await startQuickstart({ ...options, tell: print }, log);
    introduce(quickstart, options.vehicles);
    const ended = new AbortController();
    const watching = watch(quickstart, view, ended.signal);
    try {
      // What fails ends it at once.
      await Promise.race([stopping, watching.then(() => stopping)]);
      ended.abort();
      await watching;
      print('\nStopping…');
    } finally {
      await quickstart.stop();
    }
  });
}

/** Writes to standard error; above the live view if both share a terminal. */
const logStream = (view: ProgressView) => ({
  write: (text: string) => {
    if (process.stderr.isTTY && process.stdout.isTTY) view.above(text);
    else printError(text.trimEnd());
  },
});

function introduce(quickstart: Quickstart, vehicles: number): void {
  const { httpUrl, mqttUrl, tokenFile, carotaUrl, carotaTokenFile, refIds, realVehicles } =
    quickstart;
  print(
    `OTA Operations is ready: CarOTA Server, OTA Adapter, ${vehicles} simulated vehicles and ${realVehicles} full agents.`,
  );
  print(`  Console         ${httpUrl}/console/       documents ${httpUrl}/docs`);
  print(`  HTTP interface  ${httpUrl}`);
  print(`  MQTT broker     ${mqttUrl}`);
  // Standard output ends up in logs that others read.
  print(`  Token           in ${tokenFile}`);
  print(`  CarOTA console  ${carotaUrl}/console/       documents ${carotaUrl}/docs`);
  print(`  CarOTA Server   ${carotaUrl}`);
  print(`  CarOTA token    in ${carotaTokenFile}`);
  print(`  Triggered       ${refIds.map((refId) => `'${refId}'`).join(', ')}`);
  print();
}

/** Shows progress until every vehicle of the operations has finished, then suggests the next steps. */
async function watch(
  quickstart: Quickstart,
  view: ProgressView,
  signal: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      const operations = await quickstart.progress();
      view.show(operations);
      if (await quickstart.isOver(operations)) break;
      await sleep(REFRESH_MS, undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    view.done();
  }
  if (!signal.aborted) suggest(quickstart);
}

/** As a shell passes it to curl. */
const headerFrom = (tokenFile: string) =>
  `-H "authorization-token: $(cat '${tokenFile.replaceAll("'", `'\\''`)}')"`;

function suggest(quickstart: Quickstart): void {
  const { httpUrl, tokenFile, carotaUrl, carotaTokenFile, refIds, vins } = quickstart;
  const next = {
    ...SEED_TRIGGER,
    time: Date.now(),
    body: { ...SEED_TRIGGER.body, 'ref-id': `schedule ${Date.now()}`, vins: vins.slice(-10) },
  };
  const header = headerFrom(tokenFile);
  print('\nAll vehicles have finished. Trigger the next operation:\n');
  print(`curl -sS ${httpUrl}/v1.0/ota/trigger ${header} \\
  -H 'content-type: application/json' -d '${JSON.stringify(next)}'\n`);
  print('and follow its progress:\n');
  print(
    `curl -sS ${header} ${httpUrl}/v1.0/ota/operations/${encodeURIComponent(next.body['ref-id'])}\n`,
  );
  const last = encodeURIComponent(refIds.at(-1) ?? '');
  print('The waves of the full agents, and the guard’s decisions:\n');
  print(`curl -sS ${headerFrom(carotaTokenFile)} ${carotaUrl}/v1.0/schedules/${last}\n`);
  print('Press Ctrl-C to stop.');
}
