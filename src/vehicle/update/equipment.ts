/** What an update works with. A real vehicle has real ones; the simulator brings simulated ones. */
import { type Artifact, type EcuUpdate, type UpdateScript } from '../../update-script/index.js';

/** It cannot be had now; the message says why. */
export class SourceUnreachable extends Error {
  override readonly name = 'SourceUnreachable';
}

/** Where update scripts come from. */
export interface ScriptSource {
  /**
   * Fetches a script and verifies its signature.
   *
   * @param at ms, by the vehicle's clock
   * @throws ScriptRefused, SourceUnreachable
   */
  fetch(scriptRefId: string, at: number, signal: AbortSignal): Promise<UpdateScript>;
}

/** What the user is asked. */
export interface Question {
  readonly text: string;
  readonly scriptRefId: string;
  /** Of all artifacts, bytes. */
  readonly bytes: number;
  /** Until when an answer counts, ms. */
  readonly until: number;
}

/** Asks the user. */
export interface Consent {
  /** Resolves when there is an answer; the signal takes the question back. */
  ask(question: Question, signal: AbortSignal): Promise<boolean>;
}

/** What the vehicle says of itself; undefined where it does not know. */
export interface VehicleStatus {
  /** Percent. */
  readonly battery?: number | undefined;
  readonly gear?: string | undefined;
  readonly ignition?: string | undefined;
}

/** The sensors that preconditions and daily windows depend on. */
export interface Conditions {
  /** The current values. A value that is not known is undefined and meets no precondition. */
  read(): Promise<VehicleStatus>;
  /** Time zone of the vehicle, as the IANA names it. */
  readonly timeZone: string;
}

/** The download has failed for good; the message says why. */
export class DownloadFailed extends Error {
  override readonly name = 'DownloadFailed';
}

/** One artifact to be downloaded. */
export interface Transfer {
  /** Of which script: it says where the artifact can be had. */
  readonly scriptRefId: string;
  readonly artifact: Artifact;
  /** Bytes that are there, of this artifact. */
  readonly onProgress: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/** Downloads artifacts and keeps them until they are installed. */
export interface Downloads {
  /** Has room for all of them, on the disk. @throws DownloadFailed */
  reserve(artifacts: readonly Artifact[]): Promise<void>;
  /** Goes on where it broke off, also after a restart. @throws DownloadFailed */
  download(transfer: Transfer): Promise<void>;
  /**
   * What is wrong with what was downloaded; undefined where it is what the script says. What is wrong is thrown
   * away.
   */
  fault(artifact: Artifact, signal: AbortSignal): Promise<string | undefined>;
  /** File of an artifact that was downloaded. */
  pathOf(artifact: Artifact): string;
  /** Throws away all that was downloaded. */
  clear(): Promise<void>;
}

/**
 * Puts software into ECUs with two slots each: one runs, the other one is written. Every call may come again after
 * a power cut, and has then the same effect.
 */
export interface Installer {
  /** Version that the ECU runs; undefined where there is no such ECU. */
  version(ecu: string): Promise<string | undefined>;
  /** Writes the slot that does not run; it is complete and on the disk when this resolves. */
  install(update: EcuUpdate, file: string, signal: AbortSignal): Promise<void>;
  /** The next start is from the slot that was written. */
  activate(update: EcuUpdate): Promise<void>;
  /** Whether what the ECU runs is healthy. @throws Error which says what is not */
  check(ecu: string, signal: AbortSignal): Promise<void>;
  /** Keeps what runs: the other slot is free. */
  confirm(update: EcuUpdate): Promise<void>;
  /** The next start is from the slot before, unless what runs was confirmed. */
  revert(update: EcuUpdate): Promise<void>;
}

/** Restarts the vehicle’s computers and tells whether that has happened. */
export interface Reboot {
  /** Differs from boot to boot. */
  bootId(): Promise<string>;
  /** Restarts the vehicle's computers. Resolves if that does not end this process. */
  restart(signal: AbortSignal): Promise<void>;
}

/** Everything an update works with. Replace any of it by your own. */
export interface Equipment {
  readonly scripts: ScriptSource;
  readonly consent: Consent;
  readonly conditions: Conditions;
  readonly downloads: Downloads;
  readonly installer: Installer;
  readonly reboot: Reboot;
}
