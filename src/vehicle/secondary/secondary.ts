/**
 * The interface of a Secondary: an ECU that verifies everything from its Primary itself. It may run in the Primary's
 * process (an ECU on the same hardware) or behind a link, which makes no difference to the Primary.
 */
import { type EcuUpdate } from '../../update-script/index.js';
import { type EcuIdentity } from '../ecu/ecu-identity.js';

/** How much of the metadata a Secondary verifies (Uptane, "Metadata verification procedures"). */
export type Verification = 'full' | 'partial';

/** Identity of a Secondary, and the roots it trusts. */
export interface SecondaryStatus extends EcuIdentity {
  readonly verification: Verification;
  /** Versions of its trusted roots; it needs all later ones. */
  readonly roots: { readonly director: number; readonly image: number | undefined };
}

/**
 * Metadata from a Primary: files by their repository paths, prefixed with the repository's name, e.g.
 * `director/3.root.json`, `image/timestamp.json`.
 */
export type MetadataBundle = ReadonlyMap<string, Uint8Array>;

/** The image ordered for this ECU. */
export interface OrderedImage {
  readonly path: string;
  /** bytes */
  readonly length: number;
}

/** An ECU that verifies updates itself; implement it to connect ECUs over another bus. */
export interface Secondary {
  /** Its identity and trusted roots. */
  status(): Promise<SecondaryStatus>;
  /** A nonce for the next time request. */
  nonce(): Promise<string>;
  /** The signed version report: an envelope as JSON. */
  report(): Promise<Uint8Array>;
  /** Accepts the answer to its last nonce. @throws Refusal, EcuRefused */
  takeTime(signedTime: Uint8Array): Promise<void>;
  /**
   * Verifies metadata. From then on only the images it orders can be installed.
   *
   * @returns the image to install, if any
   * @throws Refusal, EcuRefused; the previous order stays in force
   */
  takeMetadata(bundle: MetadataBundle): Promise<OrderedImage | undefined>;
  /** Whether it already has the ordered image. */
  hasImage(): Promise<boolean>;
  /**
   * Receives and verifies the ordered image.
   *
   * @param length bytes
   * @throws Refusal, EcuRefused; it then has no image
   */
  takeImage(length: number, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** The running version. */
  version(): Promise<string | undefined>;
  /** Hashes the image again and writes it into the inactive slot. @throws Refusal, EcuRefused, Error */
  install(update: EcuUpdate, signal: AbortSignal): Promise<void>;
  /** As `Installer.activate`. @throws Refusal, EcuRefused unless the slot was written for the current order */
  activate(update: EcuUpdate): Promise<void>;
  /** As `Installer.check`. */
  check(signal: AbortSignal): Promise<void>;
  /** As `Installer.confirm`. */
  confirm(update: EcuUpdate): Promise<void>;
  /** As `Installer.revert`. */
  revert(update: EcuUpdate): Promise<void>;
}

/** A rejection by an ECU, and the attack it indicates, if recognised. */
export type EcuRejection = Error & { readonly attack?: string | undefined };

/** A Secondary behind a link has rejected a call, with the reason. */
export class EcuRefused extends Error {
  override readonly name = 'EcuRefused';
  readonly code: string;
  readonly attack: string | undefined;

  constructor(message: string, code: string, attack: string | undefined) {
    super(message);
    this.code = code;
    this.attack = attack;
  }
}
