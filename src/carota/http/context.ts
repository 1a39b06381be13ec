/** Dependencies of the CarOTA Server's routes. */
import { type Logger } from 'pino';
import { type Database } from '../../service/database/index.js';
import { type SignInGuard } from '../../service/access/index.js';
import { type VehicleDoor } from '../../service/http/index.js';
import { type AttemptLog } from '../../service/audit/index.js';
import { type Signer } from '../../service/chain/index.js';
import { type HttpLimits } from '../../service/limits/index.js';
import { type OpenedSignOn } from '../../service/sign-on/index.js';
import { type ServerCertificate } from '../../service/tls/index.js';
import { type ArtifactStore, type IncomingFolder, type Uploads } from '../artifacts/index.js';
import { type Enrolment } from '../enrolment/index.js';
import { type Director } from '../director/index.js';
import { type DossierWriter } from '../dossier/index.js';
import { type ServedRepository } from '../image-repository/index.js';
import { type ApprovalRule } from '../schedules/index.js';
import { type Notifications } from '../open-notifications.js';
import { type CarotaMetrics } from '../metrics.js';

export interface CarotaContext {
  readonly database: Database;
  /** A separate pool for routes that may read a lot, so that they take no connection from the others. */
  readonly reading: Database;
  readonly store: ArtifactStore;
  /** Of dossiers in progress. */
  readonly incoming: IncomingFolder;
  readonly uploads: Uploads;
  /** The first signs artifact URLs, each verifies them. */
  readonly urlKeys: readonly Uint8Array[];
  /** Minimum validity of an artifact URL, seconds. */
  readonly urlTtl: number;
  /** Base URL of artifacts for vehicles, e.g. of a CDN; undefined: this server's address. */
  readonly publicUrl: string | undefined;
  /** Secrets of the event call-back; several during a change. Empty: call-backs are refused. */
  readonly callbackSecrets: readonly string[];
  /** Whether schedules need approval, and by whom. */
  readonly approval: ApprovalRule;
  /** Aborts when the server stops, and ends open-ended streams. */
  readonly stopping: AbortSignal;
  readonly director: Director;
  readonly images: ServedRepository;
  /** Seals dossiers, and has them time-stamped. */
  readonly dossiers: Pick<DossierWriter, 'sealKey' | 'timeStamp'>;
  /** Who may fetch its images. */
  readonly imageAccess: 'anyone' | 'vehicles';
  readonly metrics: CarotaMetrics;
  /** ms */
  readonly clock: () => number;
  readonly notifications: Pick<Notifications, 'channels' | 'box' | 'sender'>;
  /** Whether there is a token to control the adapter. */
  readonly mayControl: boolean;
  /** Wakes the scheduler. */
  readonly wake: () => void;
  readonly log: Logger;
  readonly version: string;
  readonly limits: HttpLimits | undefined;
  /** Undefined: plain HTTP. */
  readonly certificate?: ServerCertificate | undefined;
  readonly hstsSeconds?: number | undefined;
  /** Undefined: browsers sign in with tokens only. */
  readonly signOn?: OpenedSignOn | undefined;
  readonly signIns: SignInGuard;
  /** Of one-time codes, on the port of the vehicles. */
  readonly vehicleSignIns: SignInGuard;
  /** Enrolment of vehicles on that port; undefined: not offered. */
  readonly enrolment: Enrolment | undefined;
  /** The port for vehicles; undefined: not opened. */
  readonly vehicles: VehicleDoor | undefined;
  /** Seals the audit log. */
  readonly auditKey: Signer;
  readonly attempts: AttemptLog;
}
