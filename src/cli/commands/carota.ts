/** `otaops carota`: the CarOTA Server. */
import { type Command } from 'commander';
import type { CarotaSettings } from '../../carota/index.js';
import { serviceLog } from '../log.js';
import { print } from '../output.js';
import {
  ADAPTER_CONTROL_TOKEN,
  ADAPTER_TOKEN,
  ADAPTER_URL,
  addSettings,
  ALLOW_PLAIN_HTTP,
  APPROVAL,
  AUDIT_COPY_SETTINGS,
  AUDIT_KEY_FILE,
  BadSetting,
  CALLBACK_ALLOW,
  CALLBACK_SECRET,
  CERTIFICATE_DAYS,
  DATA_DIR,
  DATABASE_URL,
  DEADLINE_GRACE,
  DIRECTOR_DIR,
  DIRECTOR_SIGNER,
  ENROLMENT_CA,
  ENROLMENT_COMMAND,
  HOST,
  HTTP_LIMIT_SETTINGS,
  HTTP_PORT,
  type HttpLimitFlags,
  httpLimitsOf,
  IMAGE_REPOSITORY_DIR,
  IMAGE_ACCESS,
  IMAGE_BUCKET,
  IMAGE_SIGNER,
  LOG_LEVEL,
  PUBLIC_URL,
  REFUSED_EVENT_DAYS,
  S3_BUCKET,
  S3_REGION,
  S3_URL,
  SECRET_KEY,
  SIGN_IN_LIMIT_SETTINGS,
  type SignInLimitFlags,
  signInLimitsOf,
  SIGN_ON_SETTINGS,
  SMTP_FROM,
  SMTP_URL,
  TIMESTAMP_URL,
  TLS_SETTINGS,
  UPLOAD_QUOTA_SETTINGS,
  type UploadQuotaFlags,
  uploadQuotaOf,
  URL_TTL,
  VEHICLE_BOOTSTRAP_CA,
  VEHICLE_CA,
  VEHICLE_CRL,
  VEHICLE_PORT,
  VEHICLE_TLS_CERT,
  VEHICLE_TLS_KEY,
} from '../settings/index.js';
import { stopRequested } from '../stop-signals.js';
import { tlsFilesOf, type VehicleTlsFlags } from '../vehicle-tls-files.js';

interface CarotaFlags
  extends
    Omit<CarotaSettings, 'callbackSecrets' | 'secretKeys' | 'vehicleTls'>,
    HttpLimitFlags,
    SignInLimitFlags,
    UploadQuotaFlags,
    VehicleTlsFlags {
  readonly vehicleTlsCert?: string;
  readonly vehicleTlsKey?: string;
  readonly callbackSecret?: string[];
  readonly secretKey?: string[];
  readonly logLevel: string;
}

/** Next to the adapter's 8080. */
const DEFAULT_PORT = 8090;

export function carotaCommand(program: Command): void {
  const command = program
    .command('carota')
    .description('run the CarOTA Server: artifacts, update scripts, schedules in waves')
    .addHelpText(
      'after',
      `
Example, beside otaops serve --callback-url http://127.0.0.1:8090/v1.0/ota/events …:
  otaops carota --adapter-token otaops_… --callback-secret whsec_…`,
    );
  addSettings(command, [HOST, { ...HTTP_PORT, default: DEFAULT_PORT }]);
  addSettings(command, [{ ...DATA_DIR, default: './.otaops-carota' }, DATABASE_URL]);
  addSettings(command, [ADAPTER_URL, ADAPTER_TOKEN, ADAPTER_CONTROL_TOKEN, ALLOW_PLAIN_HTTP]);
  addSettings(command, [CALLBACK_SECRET, CALLBACK_ALLOW, SMTP_URL, SMTP_FROM, SECRET_KEY]);
  addSettings(command, [S3_URL, S3_BUCKET, S3_REGION]);
  addSettings(command, [DIRECTOR_DIR, DIRECTOR_SIGNER, IMAGE_REPOSITORY_DIR, IMAGE_SIGNER]);
  addSettings(command, [IMAGE_ACCESS, IMAGE_BUCKET]);
  addSettings(command, [...HTTP_LIMIT_SETTINGS, ...SIGN_IN_LIMIT_SETTINGS]);
  addSettings(command, UPLOAD_QUOTA_SETTINGS);
  addSettings(command, [VEHICLE_PORT, VEHICLE_TLS_CERT, VEHICLE_TLS_KEY, VEHICLE_CA, VEHICLE_CRL]);
  addSettings(command, [ENROLMENT_CA, ENROLMENT_COMMAND, CERTIFICATE_DAYS, VEHICLE_BOOTSTRAP_CA]);
  addSettings(command, [...TLS_SETTINGS, ...SIGN_ON_SETTINGS]);
  addSettings(command, [AUDIT_KEY_FILE, ...AUDIT_COPY_SETTINGS]);
  addSettings(command, [PUBLIC_URL, URL_TTL, APPROVAL, DEADLINE_GRACE]);
  addSettings(command, [REFUSED_EVENT_DAYS, TIMESTAMP_URL, LOG_LEVEL]);
  command.action(async ({ callbackSecret, secretKey, logLevel, ...flags }: CarotaFlags) => {
    const stopping = stopRequested();
    if ((flags.s3Url === undefined) !== (flags.s3Bucket === undefined)) {
      throw new BadSetting('--s3-url and --s3-bucket must be given together');
    }
    const log = serviceLog(logLevel);
    const { startCarota } = await import('../../carota/index.js');
    const settings: CarotaSettings = {
      ...flags,
      callbackSecrets: callbackSecret,
      secretKeys: secretKey,
      httpLimits: httpLimitsOf(flags),
      signInLimits: signInLimitsOf(flags),
      uploadQuota: uploadQuotaOf(flags),
      vehicleTls: tlsFilesOf(flags, {
        cert: flags.vehicleTlsCert,
        key: flags.vehicleTlsKey,
        prefix: '--vehicle-tls',
      }),
    };
    const carota = await startCarota(settings, log);
    print(`HTTP interface  ${carota.httpUrl}  (documents: ${carota.httpUrl}/docs)`);
    print(`Console         ${carota.httpUrl}/console/`);
    if (carota.vehicleUrl !== undefined) print(`Vehicles        ${carota.vehicleUrl}`);
    if (carota.imageRootFile !== undefined) {
      print(`Image repository keys: generated for trials; vehicles trust ${carota.imageRootFile}`);
    }
    if (carota.directorRootFile !== undefined) {
      print(`Director keys of our own, for trials; vehicles trust ${carota.directorRootFile}`);
      print(`and the time by ${carota.timeKeysFile}`);
    }
    if (carota.firstToken !== undefined) {
      // Others can read standard output in logs.
      print(`Initial admin token: in ${carota.tokenFile}, readable by its owner only`);
    }
    log.info({ signal: await stopping }, 'stopping');
    await carota.stop();
  });
}
