/** What the routes of the CarOTA Server work with. */
import { type Logger } from 'pino';
import { type Database } from '../../service/database/index.js';
import { type Signer } from '../../update-script/index.js';
import { type ArtifactStore } from '../artifacts/index.js';
import { type Director } from '../director/index.js';
import { type ServedRepository } from '../image-repository/index.js';
import { type Approval } from '../schedules/index.js';
import { type CarotaMetrics } from '../metrics.js';

export interface CarotaContext {
  readonly database: Database;
  readonly store: ArtifactStore;
  /** Folder for artifacts that are on their way. */
  readonly incoming: string;
  readonly signer: Signer;
  /** Of the URLs of artifacts. */
  readonly urlKey: Uint8Array;
  /** How long such a URL holds at least, seconds. */
  readonly urlTtl: number;
  /** What vehicles reach this server by, where that is not the address they know, e.g. a CDN. */
  readonly publicUrl: string | undefined;
  /** Of the event call-back; several while it is changed. None: no call-back is taken. */
  readonly callbackSecrets: readonly string[];
  /** Whether schedules have to be approved, and by whom. */
  readonly approval: Approval;
  /** Aborts when the server stops: streams that would not end by themselves end then. */
  readonly stopping: AbortSignal;
  readonly director: Director;
  readonly images: ServedRepository;
  readonly metrics: CarotaMetrics;
  /** ms */
  readonly clock: () => number;
  /** Something may be due for the scheduler. */
  readonly wake: () => void;
  readonly log: Logger;
  readonly version: string;
}
