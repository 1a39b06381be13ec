/**
 * The interface of a Secondary: an ECU that verifies for itself what its Primary hands it. It may live in the Primary's
 * process (an ECU on the same hardware), or be reached over a link; the Primary cannot tell.
 */
import { type EcuUpdate } from '../../update-script/index.js';
import { type EcuIdentity } from '../ecu/ecu-identity.js';

/** How much of the metadata a Secondary verifies (Uptane, "Metadata verification procedures"). */
export type Verification = 'full' | 'partial';

/** Who a Secondary is, and which roots it trusts. */
export interface SecondaryStatus extends EcuIdentity {
  readonly verification: Verification;
  /** Versions of the roots that it trusts; it is to be handed the ones after these. */
  readonly roots: { readonly director: number; readonly image: number | undefined };
}

/**
 * Metadata as a Primary hands it over: files by their paths on the repositories, behind the repository's name, e.g.
 * `director/3.root.json`, `image/timestamp.json`.
 */
export type MetadataBundle = ReadonlyMap<string, Uint8Array>;

/** The image that is ordered for this ECU. */
export interface OrderedImage {
  readonly path: string;
  /** bytes */
  readonly length: number;
}

/** An ECU that verifies for itself; implement it to connect ECUs over another bus. */
export interface Secondary {
  /** Who it is, and which roots it is to be handed. */
  status(): Promise<SecondaryStatus>;
  /** For the next request of signed time. */
  nonce(): Promise<string>;
  /** The signed version report: an envelope as JSON. */
  report(): Promise<Uint8Array>;
  /** Takes the answer to its last nonce. @throws Refusal, EcuRefused */
  takeTime(signedTime: Uint8Array): Promise<void>;
  /**
   * Verifies metadata. What it orders may be installed from then on, and nothing else.
   *
   * @returns what is to be installed, if anything is
   * @throws Refusal, EcuRefused; what was ordered before stays ordered
   */
  takeMetadata(bundle: MetadataBundle): Promise<OrderedImage | undefined>;
  /** Whether it has the ordered image already. */
  hasImage(): Promise<boolean>;
  /**
   * Takes and verifies the ordered image.
   *
   * @param length bytes
   * @throws Refusal, EcuRefused; it has no image then
   */
  takeImage(length: number, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** The version that runs. */
  version(): Promise<string | undefined>;
  /** Hashes the image once more, and writes it into the inactive slot. @throws Refusal, EcuRefused, Error */
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

/** What an ECU has refused, and the attack that it points to, if one is recognised. */
export type Distrust = Error & { readonly attack?: string | undefined };

/** A Secondary behind a link has refused something; it says why. */
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
