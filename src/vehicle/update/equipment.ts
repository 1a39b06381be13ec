/** Interfaces of the equipment that an update uses, real or simulated. */
import { type EcuImage } from '../../contract/carota-api/index.js';
import { type Artifact, type EcuUpdate, type UpdateScript } from '../../update-script/index.js';

/** The source is unreachable; the message gives the reason. */
export class SourceUnreachable extends Error {
  override readonly name = 'SourceUnreachable';
}

/** An update that cannot be trusted. */
export class UpdateRefused extends Error {
  override readonly name = 'UpdateRefused';
  /** Whether the script itself was received, not only its metadata. */
  readonly hasScript: boolean;
  /** The attack it indicates, by its name (contract section 8). */
  readonly attack: string | undefined;

  constructor(message: string, details: { hasScript?: boolean; attack?: string | undefined } = {}) {
    super(message);
    this.hasScript = details.hasScript ?? false;
    this.attack = details.attack;
  }
}

/** The update named by a trigger is not currently ordered for this vehicle; nothing is installed. */
export class NotOrdered extends Error {
  override readonly name = 'NotOrdered';
}

/** An image described by verified metadata. */
export type VerifiedImage = Readonly<Omit<EcuImage, 'releaseCounter'>>;

/** A script that may be executed, and the images it installs, if described by metadata. */
export interface VerifiedUpdate {
  readonly script: UpdateScript;
  readonly images?: readonly VerifiedImage[];
}

/** Source of update scripts. */
export interface ScriptSource {
  /**
   * Fetches a script and verifies it.
   *
   * @throws UpdateRefused, NotOrdered, SourceUnreachable
   */
  fetch(scriptRefId: string, signal: AbortSignal): Promise<VerifiedUpdate>;
  /**
   * Whether this script is currently ordered for the vehicle by a trusted authority. Absent if the source cannot tell:
   * then no trigger interrupts an update.
   *
   * @throws Error if it cannot be determined
   */
  isOrdered?(scriptRefId: string, signal: AbortSignal): Promise<boolean>;
  /** Records that the script has been executed. May be repeated after a power cut. */
  recordExecution?(scriptRefId: string): void;
}

/** The update must not start or continue, and repeating the request will not change that. */
export class NotAdmitted extends Error {
  override readonly name = 'NotAdmitted';
  /** Whether the schedule has ended; otherwise the vehicle has no part in it. */
  readonly hasEnded: boolean;

  constructor(message: string, { hasEnded }: { readonly hasEnded: boolean }) {
    super(message);
    this.hasEnded = hasEnded;
  }
}

/** Requests admission from the planner of the update (contract section 10). */
export interface Admission {
  /** @returns when to ask again, ms; undefined: it is admitted @throws NotAdmitted */
  ask(refId: string, signal: AbortSignal): Promise<number | undefined>;
}

/** A question for the user. */
export interface Question {
  readonly text: string;
  /** Language of the text, a BCP 47 tag; undefined: not known. */
  readonly language?: string | undefined;
  readonly scriptRefId: string;
  /** Total size of all artifacts, bytes. */
  readonly bytes: number;
  /** Deadline for the answer, ms. */
  readonly until: number;
}

/** Asks the user. */
export interface Consent {
  /** Resolves with the answer; the signal withdraws the question. */
  ask(question: Question, signal: AbortSignal): Promise<boolean>;
}

/** The vehicle's status; unknown values are undefined. */
export interface VehicleStatus {
  /** Percent. */
  readonly battery?: number | undefined;
  readonly gear?: string | undefined;
  readonly ignition?: string | undefined;
}

/** The sensors that preconditions and daily windows depend on. */
export interface Conditions {
  /** The current values. An unknown value is undefined and meets no precondition. */
  read(): Promise<VehicleStatus>;
  /** Time zone of the vehicle, an IANA name. */
  readonly timeZone: string;
}

/** The download has failed permanently; the message gives the reason. */
export class DownloadFailed extends Error {
  override readonly name = 'DownloadFailed';
}

/** One artifact to be downloaded. */
export interface Transfer {
  /** The script, which determines the artifact's URL. */
  readonly scriptRefId: string;
  readonly artifact: Artifact;
  /** The artifact according to verified metadata, if any. */
  readonly image?: VerifiedImage | undefined;
  /** Called with the bytes received of this artifact. */
  readonly onProgress: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/** Downloads artifacts and keeps them until they are installed. */
export interface Downloads {
  /** Checks for sufficient disk space for all artifacts. @throws DownloadFailed */
  reserve(artifacts: readonly Artifact[]): Promise<void>;
  /** Downloads, resuming an interrupted download even after a restart. @throws DownloadFailed */
  download(transfer: Transfer): Promise<void>;
  /**
   * The fault of a download; undefined if it matches the script and every hash of the image. A faulty download is
   * deleted.
   */
  fault(
    artifact: Artifact,
    signal: AbortSignal,
    image?: VerifiedImage,
  ): Promise<string | undefined>;
  /** File of a downloaded artifact. */
  pathOf(artifact: Artifact): string;
  /** Deletes all downloads. */
  clear(): Promise<void>;
}

/**
 * Installs software into ECUs with two slots each: one runs, the other is written. Every call may be repeated after a
 * power cut and is idempotent.
 */
export interface Installer {
  /** Running version of the ECU; undefined if there is no such ECU. */
  version(ecu: string): Promise<string | undefined>;
  /** SHA-256 of the ECU's running software. Absent if the installer cannot tell. */
  digest?(ecu: string): Promise<string | undefined>;
  /** Writes the inactive slot; it is complete and on disk when this resolves. */
  install(update: EcuUpdate, file: string, signal: AbortSignal): Promise<void>;
  /** Makes the next start use the slot just written. */
  activate(update: EcuUpdate): Promise<void>;
  /** Checks the health of the running software. @throws Error with the reason if it is not healthy */
  check(ecu: string, signal: AbortSignal): Promise<void>;
  /** Keeps the running software; the other slot becomes free. */
  confirm(update: EcuUpdate): Promise<void>;
  /** Makes the next start use the previous slot, unless the running software was confirmed. */
  revert(update: EcuUpdate): Promise<void>;
}

/** Restarts the vehicle’s computers and detects that they have restarted. */
export interface Reboot {
  /** Differs from boot to boot. */
  bootId(): Promise<string>;
  /** Restarts the vehicle's computers. Resolves only if that does not end this process. */
  restart(signal: AbortSignal): Promise<void>;
}

/** Everything an update uses. Replace any part with your own. */
export interface Equipment {
  readonly scripts: ScriptSource;
  /** Absent: updates need no consent. */
  readonly admission?: Admission | undefined;
  readonly consent: Consent;
  readonly conditions: Conditions;
  readonly downloads: Downloads;
  readonly installer: Installer;
  readonly reboot: Reboot;
}
