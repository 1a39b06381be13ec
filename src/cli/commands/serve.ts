/** `otaops serve`: the OTA Adapter. */
import { type Command } from 'commander';
import type { AdapterSettings } from '../../adapter/index.js';
import { limitHeapGrowth } from '../heap-growth.js';
import { serviceLog } from '../log.js';
import { print } from '../output.js';
import {
  ACK_REQUIRED,
  AUDIT_COPY_SETTINGS,
  AUDIT_KEY_FILE,
  addSettings,
  BROKER_LIMIT_SETTINGS,
  type BrokerLimitFlags,
  brokerLimitsOf,
  C2D_TOPIC,
  CALLBACK_ALLOW,
  CALLBACK_BATCH,
  CALLBACK_SECRET,
  CALLBACK_URL,
  D2C_TOPIC,
  DATA_DIR,
  DATABASE_URL,
  DEAD_LETTER_DAYS,
  DEAD_LETTER_LIMIT_SETTINGS,
  type DeadLetterLimitFlags,
  MESSAGE_BUDGET_SETTINGS,
  type MessageBudgetFlags,
  messageBudgetOf,
  deadLetterLimitsOf,
  HISTORY_DAYS,
  HOST,
  HTTP_LIMIT_SETTINGS,
  HTTP_PORT,
  type HttpLimitFlags,
  httpLimitsOf,
  INSTANCE,
  LOG_LEVEL,
  MQTT_CA,
  MQTT_CERT,
  MQTT_KEY,
  MQTT_PLAIN,
  MQTT_PORT,
  MQTT_PRESENCE_TOPIC,
  MQTT_SESSION_EXPIRY,
  MQTT_SHARED,
  MQTT_TLS_CERT,
  MQTT_TLS_KEY,
  MQTTS_PORT,
  OPERATION_DAYS,
  MQTT_URL,
  OTLP_URL,
  RETRY_FIRST,
  RETRY_LONGEST,
  RETRY_SENDS,
  SECRET_KEY,
  type Setting,
  SIGN_IN_LIMIT_SETTINGS,
  type SignInLimitFlags,
  signInLimitsOf,
  SIGN_ON_SETTINGS,
  TLS_SETTINGS,
  TRACE_RATIO,
  TRIGGER_TTL,
  VEHICLE_CA,
  VEHICLE_CRL,
  VEHICLE_SIGN_IN_LIMIT_SETTINGS,
  type VehicleSignInLimitFlags,
  vehicleSignInLimitsOf,
} from '../settings/index.js';
import { stopRequested } from '../stop-signals.js';
import { type VehicleTlsFlags, vehicleTlsOf } from '../vehicle-tls-files.js';

const BROKER: Setting<string> = {
  ...MQTT_URL,
  description: `${MQTT_URL.description} (default: the embedded broker)`,
};

interface ServeFlags
  extends
    Omit<AdapterSettings, 'callbackSecret' | 'vehicleTls'>,
    VehicleTlsFlags,
    HttpLimitFlags,
    BrokerLimitFlags,
    MessageBudgetFlags,
    DeadLetterLimitFlags,
    SignInLimitFlags,
    VehicleSignInLimitFlags {
  readonly callbackSecret?: readonly string[];
  readonly secretKey?: readonly string[];
  readonly mqttTlsCert?: string;
  readonly mqttTlsKey?: string;
  readonly logLevel: string;
  /** Seconds. */
  readonly retryFirst: number;
  readonly retryLongest: number;
  readonly retrySends: number;
}

export function serveCommand(program: Command): void {
  const command = program
    .command('serve')
    .description('run the OTA Adapter; without URLs of real servers it uses embedded ones')
    .addHelpText(
      'after',
      `
Examples:
  otaops serve                                     embedded database and broker, on 127.0.0.1
  otaops serve --config /etc/otaops.yaml           settings from a file, http-port: 8080 …
  otaops serve --database-url postgres://otaops@db/otaops --mqtt-url mqtts://broker:8883
                                                   any number of adapters may share the two
  otaops serve --callback-url https://carota/events --callback-secret whsec_…`,
    );
  addSettings(command, [HOST, HTTP_PORT, DATABASE_URL, BROKER, MQTT_CA, MQTT_CERT, MQTT_KEY]);
  addSettings(command, [MQTT_SESSION_EXPIRY, MQTT_SHARED, INSTANCE, MQTT_PORT, DATA_DIR]);
  addSettings(command, [
    MQTT_PLAIN,
    MQTTS_PORT,
    MQTT_TLS_CERT,
    MQTT_TLS_KEY,
    VEHICLE_CA,
    VEHICLE_CRL,
  ]);
  addSettings(command, [HISTORY_DAYS, OPERATION_DAYS, DEAD_LETTER_DAYS]);
  addSettings(command, [C2D_TOPIC, D2C_TOPIC, MQTT_PRESENCE_TOPIC]);
  addSettings(command, [RETRY_FIRST, RETRY_LONGEST, RETRY_SENDS, TRIGGER_TTL, ACK_REQUIRED]);
  addSettings(command, [CALLBACK_URL, CALLBACK_SECRET, CALLBACK_ALLOW, CALLBACK_BATCH, SECRET_KEY]);
  addSettings(command, [...HTTP_LIMIT_SETTINGS, ...BROKER_LIMIT_SETTINGS]);
  addSettings(command, [...DEAD_LETTER_LIMIT_SETTINGS, ...MESSAGE_BUDGET_SETTINGS]);
  addSettings(command, [...SIGN_IN_LIMIT_SETTINGS, ...VEHICLE_SIGN_IN_LIMIT_SETTINGS]);
  addSettings(command, [...TLS_SETTINGS, ...SIGN_ON_SETTINGS]);
  addSettings(command, [AUDIT_KEY_FILE, ...AUDIT_COPY_SETTINGS]);
  addSettings(command, [OTLP_URL, TRACE_RATIO, LOG_LEVEL]);
  command.action(async ({ callbackSecret = [], ...flags }: ServeFlags) => {
    limitHeapGrowth();
    const stopping = stopRequested();
    const log = serviceLog(flags.logLevel);
    const retry = {
      firstPauseMs: flags.retryFirst * 1000,
      longestPauseMs: flags.retryLongest * 1000,
      maxSends: flags.retrySends,
    };
    const { startAdapter } = await import('../../adapter/index.js');
    const settings: AdapterSettings = {
      ...flags,
      callbackSecret: callbackSecret[0],
      secretKeys: flags.secretKey,
      vehicleTls: vehicleTlsOf(flags, {
        cert: flags.mqttTlsCert,
        key: flags.mqttTlsKey,
        prefix: '--mqtt-tls',
      }),
      retry,
      httpLimits: httpLimitsOf(flags),
      brokerLimits: brokerLimitsOf(flags),
      signInLimits: signInLimitsOf(flags),
      vehicleSignInLimits: vehicleSignInLimitsOf(flags),
      deadLetterLimits: deadLetterLimitsOf(flags),
      messageBudget: messageBudgetOf(flags),
    };
    const adapter = await startAdapter(settings, log);
    print(`HTTP interface  ${adapter.httpUrl}  (documents: ${adapter.httpUrl}/docs)`);
    print(`Console         ${adapter.httpUrl}/console/`);
    print(`MQTT broker     ${adapter.mqttUrl}`);
    if (adapter.mqttsUrl !== undefined) print(`MQTT with TLS   ${adapter.mqttsUrl}`);
    if (adapter.firstToken !== undefined) {
      // Others can read standard output in logs.
      print(`Initial admin token: in ${adapter.tokenFile}, readable by its owner only`);
    }
    log.info({ signal: await stopping }, 'stopping');
    await adapter.stop();
  });
}
