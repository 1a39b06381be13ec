/** Startup settings of a CarOTA Server. */
import { type UploadQuota } from './artifacts/index.js';
import { type AdapterSettings, type ApprovalRule } from './schedules/index.js';
import { type SignInLimits } from '../service/access/index.js';
import { type TlsFilePaths } from '../service/vehicle-tls/index.js';
import { type HttpLimits } from '../service/limits/index.js';
import { type SignOnSettings } from '../service/sign-on/index.js';
import { type TlsSettings } from '../service/tls/index.js';

export interface CarotaSettings extends AdapterSettings, TlsSettings, SignOnSettings {
  readonly host: string;
  /** 0: any free port. */
  readonly httpPort: number;
  /** Port on which vehicles call with client certificates; 0: any free one. Needs {@link vehicleTls}. */
  readonly vehiclePort?: number | undefined;
  /** PEM files of that port; undefined: the port is not opened. */
  readonly vehicleTls?:
    (Omit<TlsFilePaths, 'ca'> & { readonly ca: string | undefined }) | undefined;
  /** Folder of the built-in authority, which issues the vehicles' certificates; undefined: another one does. */
  readonly enrolmentCa?: string | undefined;
  /** Command of another authority, for enrolment on the vehicles' port; undefined: see above. */
  readonly enrolmentCommand?: string | undefined;
  /** PEM file of the factory's authorities, whose certificates are valid for a first enrolment only. */
  readonly vehicleBootstrapCa?: string | undefined;
  /** Validity of certificates from the built-in authority, days. */
  readonly certificateDays?: number | undefined;
  /** PEM file of CAs to be trusted besides the well-known ones when calling other servers over HTTPS. */
  readonly ca?: string | undefined;
  /** Directory of the embedded database, artifacts, trial keys, and the initial admin token. */
  readonly dataDir: string;
  /** `postgres://…`; undefined: the embedded database. */
  readonly databaseUrl?: string | undefined;
  /** Seals the audit log: Ed25519, PEM; undefined: one in the data directory, made at the first start. */
  readonly auditKeyFile?: string | undefined;
  /** `tcp://`, `tls://` or `udp://host:port` of a copy of the audit log; undefined: no copy. */
  readonly auditSyslog?: string | undefined;
  /** URL of a receiver of OTLP logs over HTTP for a copy of the log; undefined: no copy. */
  readonly auditOtlp?: string | undefined;
  /** Bearer token for it. */
  readonly auditOtlpToken?: string | undefined;
  readonly signInLimits?: SignInLimits | undefined;
  readonly httpLimits?: HttpLimits | undefined;
  /** Quota of artifacts and update scripts. */
  readonly uploadQuota?: UploadQuota | undefined;
  /** Time limit of a statement that reads for people, seconds. */
  readonly searchSeconds?: number | undefined;
  /** Secrets with which the adapter signs its call-back; several during a change. */
  readonly callbackSecrets?: readonly string[] | undefined;
  /** Loopback, link-local or private networks to which notifications may go. */
  readonly callbackAllow?: readonly string[] | undefined;
  /** Encrypt secrets in the database, 32 bytes in base64 each: the first seals, all open. */
  readonly secretKeys?: readonly string[] | undefined;
  /** Server for e-mail, `smtp://` or `smtps://`, and the sender's address; both or none. */
  readonly smtpUrl?: string | undefined;
  readonly smtpFrom?: string | undefined;
  /** S3-compatible store; undefined: a folder in the data directory. */
  readonly s3Url?: string | undefined;
  readonly s3Bucket?: string | undefined;
  readonly s3Region?: string | undefined;
  /** Bucket of that store that everything published in the image repository is copied to; undefined: none. */
  readonly imageBucket?: string | undefined;
  /** Folder of the Director's root and online keys; undefined: one in the data directory, with trial keys. */
  readonly directorDir?: string | undefined;
  /** Unix socket of the signer process that has the online keys; undefined: they are in that folder. */
  readonly directorSigner?: string | undefined;
  /**
   * Folder of the image repository, established by people; undefined: one in the data directory, with keys generated for
   * trials.
   */
  readonly imageRepositoryDir?: string | undefined;
  /** Socket of the signer process with the image repository's snapshot and timestamp keys. */
  readonly imageSigner?: string | undefined;
  /** Who may fetch images; undefined: anyone, as from a CDN. */
  readonly imageAccess?: 'anyone' | 'vehicles' | undefined;
  /** URL from which vehicles fetch artifacts, if it is not this server's own address. */
  readonly publicUrl?: string | undefined;
  /** Time-stamping authority (RFC 3161) for dossiers; undefined: none. */
  readonly timestampUrl?: string | undefined;
  /** Whether schedules have to be approved before they start; undefined: no. */
  readonly approval?: ApprovalRule | undefined;
  /** How long refused events are kept, days; undefined: forever. */
  readonly refusedEventDays?: number | undefined;
  /** How long after the start no vehicle is declared silent, seconds. */
  readonly deadlineGrace?: number | undefined;
  /** Minimum validity of an artifact's URL, seconds. */
  readonly urlTtl?: number | undefined;
}
