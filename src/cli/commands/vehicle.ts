/** `otaops vehicle`: the reference vehicle agent. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command } from 'commander';
import { type Logger } from 'pino';
import type { Consent } from '../../vehicle/index.js';
import { serviceLog } from '../log.js';
import { print, printError, printJson } from '../output.js';
import {
  addSettings,
  ALLOW_PLAIN_HTTP,
  BadSetting,
  BANDWIDTH,
  BOOTSTRAP_CERT,
  BOOTSTRAP_KEY,
  C2D_TOPIC,
  CA,
  CAROTA_TOKEN,
  CAROTA_URL,
  CLIENT_CERT,
  CLIENT_KEY,
  CONSENT,
  CREDENTIAL,
  D2C_TOPIC,
  DEVICE_ID,
  DIRECTOR_URL,
  ECU_TYPE,
  ENROLMENT_CODE,
  HEALTH_COMMAND,
  HOST,
  IMAGE_URL,
  INSTALLER_COMMAND,
  IVI_PORT,
  LOG_LEVEL,
  MODEL,
  LOCAL_BROKER,
  MQTT_URL,
  PROGRESS_PERCENT,
  PROGRESS_SECONDS,
  REBOOT_COMMAND,
  SYSTEM_ID,
  TIME_ZONE,
  VEHICLE_DIR,
  VEHICLE_STATUS,
  VIN,
} from '../settings/index.js';
import { parseVin } from '../settings/parsers.js';
import { stopRequested } from '../stop-signals.js';
import { openVehicleIdentity, refusePlainHttp } from '../vehicle-identity.js';
import { initialTrust, provisionCommand, type TrustFlags } from './provision.js';

interface VehicleFlags {
  readonly vin?: string;
  readonly model?: string;
  readonly systemId?: string;
  readonly deviceId?: string;
  readonly ecuType: string;
  readonly credential?: string;
  readonly mqttUrl: string;
  readonly ca?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly enrolmentCode?: string;
  readonly bootstrapCert?: string;
  readonly bootstrapKey?: string;
  readonly allowPlainHttp: boolean;
  readonly c2dTopic: string;
  readonly d2cTopic: string;
  readonly carotaUrl: string;
  readonly carotaToken?: string;
  readonly directorUrl?: string;
  readonly imageUrl?: string;
  readonly vehicleDir?: string;
  readonly consent: string;
  readonly host: string;
  readonly iviPort: number;
  readonly vehicleStatus?: string;
  readonly timeZone: string;
  readonly installerCommand?: string;
  readonly healthCommand?: string;
  readonly rebootCommand?: string;
  readonly bandwidth?: number;
  readonly progressSeconds: number;
  readonly progressPercent: number;
  readonly logLevel: string;
}

export function vehicleCommand(program: Command): void {
  const command = program
    .command('vehicle')
    .description('run the reference vehicle agent: downloads, verifies, installs and rolls back')
    .addHelpText(
      'after',
      `
Example, beside otaops serve and otaops carota:
  otaops vehicle provision --vehicle vehicle.json --director-root director.root.json \\
    --image-root image.root.json --time-key time-key.json
  otaops vehicle --vin 5YJSA1E40FF345678 --model "vehicle model a" --credential … \\
    --carota-token … --consent ivi`,
    );
  addSettings(command, [VIN, MODEL, CREDENTIAL, CAROTA_URL, CAROTA_TOKEN]);
  addSettings(command, [DIRECTOR_URL, IMAGE_URL, ALLOW_PLAIN_HTTP]);
  addSettings(command, [CLIENT_CERT, CLIENT_KEY, CA]);
  addSettings(command, [ENROLMENT_CODE, BOOTSTRAP_CERT, BOOTSTRAP_KEY]);
  addSettings(command, [
    { ...MQTT_URL, default: LOCAL_BROKER },
    SYSTEM_ID,
    DEVICE_ID,
    ECU_TYPE,
    C2D_TOPIC,
    D2C_TOPIC,
  ]);
  addSettings(command, [VEHICLE_DIR, INSTALLER_COMMAND, HEALTH_COMMAND, REBOOT_COMMAND]);
  addSettings(command, [CONSENT, HOST, IVI_PORT, VEHICLE_STATUS, TIME_ZONE]);
  addSettings(command, [BANDWIDTH, PROGRESS_SECONDS, PROGRESS_PERCENT, LOG_LEVEL]);
  command.action(async (flags: VehicleFlags) => {
    const stopping = stopRequested();
    await run(flags, serviceLog(flags.logLevel), stopping);
  });
  provisionCommand(command, 'the vehicle, with a key for each ECU on its hardware', [
    '--vehicle <file>',
    'JSON: VIN and ECUs; see docs/vehicle.md',
  ]).action(async ({ vehicle, ...trust }: TrustFlags & { vehicle: string }) => {
    const { provisionVehicle } = await import('../../vehicle/index.js');
    const description = await readFile(vehicle);
    const { vehicleDir } = command.opts<VehicleFlags>();
    const directory = vehicleDir ?? join('.otaops-vehicle', vinIn(description));
    printJson(provisionVehicle(directory, description, await initialTrust(trust)));
  });
}

/** Only for the default folder; provisioning rejects an invalid description. */
function vinIn(description: Buffer): string {
  try {
    return parseVin(String((JSON.parse(description.toString()) as { vin?: unknown }).vin));
  } catch {
    return 'unknown';
  }
}

async function run(flags: VehicleFlags, log: Logger, stopping: Promise<string>): Promise<void> {
  const { FileConditions, IviPage, MqttLink, openVehicle } = await import('../../vehicle/index.js');
  const { openDataDirectory } = await import('../../service/data-directory/data-directory.js');
  const vin = needed(flags.vin, VIN);
  const model = needed(flags.model, MODEL);
  const systemId = flags.systemId ?? `c2c-sys-${vin}`;
  const directory = flags.vehicleDir ?? join('.otaops-vehicle', vin);
  refusePlainHttp(flags);
  // Only one process may use the journal.
  const lock = await openDataDirectory(directory);
  const identity = await openVehicleIdentity({ ...flags, directory, systemId, log });
  const notes = connectionNotes(flags.mqttUrl, systemId);
  const ivi = flags.consent === 'ivi' ? new IviPage(flags.timeZone) : undefined;
  let onBroken: (error: Error) => void = () => undefined;
  const broken = new Promise<Error>((resolve) => (onBroken = resolve));
  const vehicle = openVehicle({
    ...flags,
    identity: {
      vin,
      systemId,
      deviceId: flags.deviceId ?? `device-${vin.slice(-8)}`,
      ecuType: flags.ecuType,
    },
    model,
    link: new MqttLink({
      url: flags.mqttUrl,
      systemId,
      credential: identity.tls?.hasCertificate
        ? flags.credential
        : needed(flags.credential, CREDENTIAL),
      c2dTopic: flags.c2dTopic,
      d2cTopic: flags.d2cTopic,
      tls: identity.tls,
      onError: (error) => {
        log.warn({ err: error }, 'message link');
        notes.onError(error);
      },
      onConnected: () => notes.onConnected(),
    }),
    directory,
    carotaToken: identity.tls?.hasCertificate
      ? flags.carotaToken
      : needed(flags.carotaToken, CAROTA_TOKEN),
    tls: identity.tls,
    consent: ivi ?? (await consentOf(flags.consent)),
    conditions: new FileConditions(flags.vehicleStatus, flags.timeZone),
    bytesPerSecond: flags.bandwidth,
    pace: { progressSeconds: flags.progressSeconds, progressPercent: flags.progressPercent },
    onOutcome: (phase, outcome) => log.info({ phase, outcome }, 'update'),
    onSurprise: (phase, error) => log.error({ phase, err: error }, 'update'),
    onEcuRejection: (refusal) =>
      log.warn({ err: refusal, attack: refusal.attack }, 'refused by an ECU'),
    onRefused: (why) => log.warn({ why }, 'message refused'),
    onBroken,
  });
  ivi?.control(vehicle.runner);
  if (ivi) print(`Vehicle’s page  ${await ivi.listen(flags.host, flags.iviPort)}`);
  vehicle.agent.goOnline();
  print(`Agent of ${vin} started; connecting to ${flags.mqttUrl} as ${systemId}.`);
  const ended = await Promise.race([stopping, broken]);
  await identity.stop();
  await vehicle.stop();
  await ivi?.close();
  lock.release();
  if (ended instanceof Error) throw ended;
  log.info({ signal: ended }, 'stopped');
}

/** Prints whether the broker accepts the vehicle: once per change, not per attempt. */
function connectionNotes(url: string, systemId: string) {
  let last = '';
  const note = (text: string, write: (line: string) => void) => {
    if (text !== last) write(text);
    last = text;
  };
  return {
    onConnected: () => note(`Connected to ${url}.`, print),
    onError: (error: Error) => {
      const isRefused =
        'code' in error && (error.code === BAD_CREDENTIAL || error.code === NOT_AUTHORIZED);
      note(
        isRefused
          ? `${url} refuses ${systemId}: the vehicle is not registered with this credential; retrying.`
          : `No connection to ${url}: ${error.message}; retrying.`,
        printError,
      );
    },
  };
}

/** Return codes of an MQTT 3.1.1 CONNACK. */
const BAD_CREDENTIAL = 4;
const NOT_AUTHORIZED = 5;

/** @throws BadSetting */
function needed(value: string | undefined, { flag }: { readonly flag: string }): string {
  if (value === undefined) throw new BadSetting(`${flag} is required`);
  return value;
}

async function consentOf(way: string): Promise<Consent> {
  const { AutomaticConsent, TerminalConsent } = await import('../../vehicle/index.js');
  return way === 'terminal' ? new TerminalConsent() : new AutomaticConsent(way === 'accept');
}
