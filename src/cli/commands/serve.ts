/** `otaops serve`: the OTA Adapter. */
import { type Command } from 'commander';
import pino from 'pino';
import { type AdapterSettings, startAdapter } from '../../adapter/index.js';
import { print } from '../output.js';
import {
  addSettings,
  BROKER_URL,
  C2D_TOPIC,
  D2C_TOPIC,
  DATA_DIR,
  DATABASE_URL,
  HISTORY_DAYS,
  HOST,
  HTTP_PORT,
  INSTANCE,
  LOG_LEVEL,
  MQTT_CA,
  MQTT_CERT,
  MQTT_KEY,
  MQTT_PORT,
  MQTT_SESSION_EXPIRY,
} from '../settings.js';
import { stopRequested } from '../stop-signals.js';

interface ServeOptions extends AdapterSettings {
  readonly logLevel: string;
}

export function serveCommand(program: Command): void {
  const command = program
    .command('serve')
    .description('run the OTA Adapter; without URLs of real servers it brings its own')
    .addHelpText(
      'after',
      `
Any number of adapters may share one database and one MQTT broker:
  otaops serve --database-url postgres://otaops@db/otaops --mqtt-url mqtts://broker:8883`,
    );
  addSettings(command, [HOST, HTTP_PORT, DATABASE_URL, BROKER_URL, MQTT_CA, MQTT_CERT, MQTT_KEY]);
  addSettings(command, [MQTT_SESSION_EXPIRY, INSTANCE, MQTT_PORT, DATA_DIR, HISTORY_DAYS]);
  addSettings(command, [C2D_TOPIC, D2C_TOPIC, LOG_LEVEL]);
  command.action(async (options: ServeOptions) => {
    const stopping = stopRequested();
    const log = pino({ level: options.logLevel, base: { pid: process.pid } }, pino.destination(2));
    const adapter = await startAdapter(options, log);
    print(`HTTP interface  ${adapter.httpUrl}  (documents: ${adapter.httpUrl}/docs)`);
    print(`MQTT broker     ${adapter.mqttUrl}`);
    if (adapter.firstToken !== undefined) {
      print(`Administrator’s token, also in ${adapter.tokenFile}:`);
      print(`  ${adapter.firstToken}`);
    }
    log.info({ signal: await stopping }, 'stopping');
    await adapter.stop();
  });
}
