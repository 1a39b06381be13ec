/** `otaops serve`: the OTA Adapter. */
import { type Command } from 'commander';
import pino from 'pino';
import { startAdapter } from '../../adapter/index.js';
import { print } from '../output.js';
import {
  addSettings,
  C2D_TOPIC,
  D2C_TOPIC,
  DATA_DIR,
  HOST,
  HTTP_PORT,
  LOG_LEVEL,
  MQTT_PORT,
} from '../settings.js';
import { stopRequested } from '../stop-signals.js';

interface ServeOptions {
  readonly host: string;
  readonly httpPort: number;
  readonly mqttPort: number;
  readonly dataDir: string;
  readonly logLevel: string;
  readonly c2dTopic: string;
  readonly d2cTopic: string;
}

export function serveCommand(program: Command): void {
  const command = program
    .command('serve')
    .description('run the OTA Adapter, on its embedded database and MQTT broker');
  addSettings(command, [HOST, HTTP_PORT, MQTT_PORT, DATA_DIR, C2D_TOPIC, D2C_TOPIC, LOG_LEVEL]);
  command.action(async (options: ServeOptions) => {
    const stopping = stopRequested();
    const log = pino({ level: options.logLevel, base: { pid: process.pid } }, pino.destination(2));
    const adapter = await startAdapter(options, log);
    print(`HTTP interface  ${adapter.httpUrl}  (documents: ${adapter.httpUrl}/docs)`);
    print(`MQTT broker     mqtt://${adapter.mqttAddress}`);
    if (adapter.firstToken !== undefined) {
      print(`Administrator’s token, also in ${adapter.tokenFile}:`);
      print(`  ${adapter.firstToken}`);
    }
    log.info({ signal: await stopping }, 'stopping');
    await adapter.stop();
  });
}
