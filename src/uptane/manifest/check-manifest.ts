/**
 * What a Director checks of a manifest (Uptane, "Directing installation of images on vehicles", steps 3 and 4), against
 * what it knows of the vehicle.
 */
import { type PublicKey } from '../keys/public-key.js';
import { type Envelope } from '../metadata/envelope.js';
import { ManifestRefusal } from './manifest-refusal.js';
import { type ManifestFile, type ReportFile } from './read-manifest.js';

/** An ECU as the inventory has it. */
export interface RegisteredEcu {
  readonly ecuId: string;
  readonly hardwareId: string;
  readonly key: PublicKey;
  readonly isPrimary: boolean;
}

/** What an ECU has used up: its next report must be later, or of the same second with another nonce. */
export interface UsedNonces {
  /** Of its last accepted report, ms. */
  readonly time: number;
  /** Of all accepted reports of that second. */
  readonly nonces: readonly string[];
}

/**
 * A report may be so old, ms: an ECU may have made it before the Primary could send it. A replay is recognised however
 * old it is; this bounds how far back a clock may be.
 */
const OLDEST_REPORT_MS = 24 * 60 * 60 * 1000;
/** A report may be so far in the future, ms: an ECU's clock runs on between two times that it has verified. */
const NEWEST_REPORT_MS = 5 * 60 * 1000;

/** Reports of one ECU within a second; more are refused, so that what is kept of an ECU is bounded. */
const MOST_PER_SECOND = 64;

/**
 * Step 3: vehicle, Primary, every ECU, every signature.
 *
 * @throws ManifestRefusal
 */
export async function checkManifest(
  manifest: ManifestFile,
  vin: string,
  ecus: ReadonlyMap<string, RegisteredEcu>,
): Promise<void> {
  if (manifest.vin !== vin) {
    throw new ManifestRefusal('vehicle', `it is of the vehicle ${quoted(manifest.vin)}`);
  }
  const primary = ecus.get(manifest.primary);
  if (!primary?.isPrimary) {
    throw new ManifestRefusal(
      'vehicle',
      `${quoted(manifest.primary)} is not the Primary of this vehicle`,
    );
  }
  // First: nothing else that it says is worth a look before.
  await checkSignature(manifest.envelope, primary, 'the manifest');
  for (const ecuId of manifest.reports.keys()) {
    if (ecus.has(ecuId)) continue;
    throw new ManifestRefusal(
      'ecu-unknown',
      `the vehicle has no ECU ${quoted(ecuId)}`,
      shortened(ecuId),
    );
  }
  for (const ecu of ecus.values()) {
    const report = manifest.reports.get(ecu.ecuId);
    if (report) checkReport(report, vin, ecu);
    else throw new ManifestRefusal('ecu-missing', 'the report of an ECU is missing', ecu.ecuId);
  }
  await Promise.all(
    [...manifest.reports].map(async ([ecuId, { envelope }]) => {
      const ecu = ecus.get(ecuId);
      if (ecu) await checkSignature(envelope, ecu, 'the report', ecuId);
    }),
  );
}

function checkReport(report: ReportFile, vin: string, ecu: RegisteredEcu): void {
  if (report.vin !== vin) {
    const message = `its report is of the vehicle ${quoted(report.vin)}`;
    throw new ManifestRefusal('vehicle', message, ecu.ecuId);
  }
  if (report.hardwareId !== ecu.hardwareId) {
    const message = `its hardware is registered as ${ecu.hardwareId}, and reported as ${quoted(report.hardwareId)}`;
    throw new ManifestRefusal('ecu-unknown', message, ecu.ecuId);
  }
}

/** One signature by the registered key; others do not count and do no harm. */
async function checkSignature(
  { signatures, signedBytes }: Envelope,
  { key }: RegisteredEcu,
  what: string,
  ecuId?: string,
): Promise<void> {
  // One each, however many claim the key: else a manifest full of wrong signatures would keep a Director busy.
  const own = signatures.find(({ keyId }) => keyId === key.id);
  if (own && (await key.verifiesConcurrently(signedBytes, own.hex))) return;
  const message = own
    ? `the signature of ${what} does not verify with the registered key ${key.id}`
    : `${what} is not signed by the registered key ${key.id}`;
  throw new ManifestRefusal('signature', message, ecuId);
}

/**
 * The time in each report, and step 4: nonces.
 *
 * @param used of each ECU that has reported before
 * @param now ms
 * @returns what is used up when this manifest is accepted
 * @throws ManifestRefusal
 */
export function checkFreshness(
  { reports }: ManifestFile,
  used: ReadonlyMap<string, UsedNonces>,
  now: number,
): ReadonlyMap<string, UsedNonces> {
  return new Map(
    [...reports].map(([ecuId, report]) => [ecuId, usedAfter(report, used.get(ecuId), now)]),
  );
}

function usedAfter(
  { ecuId, time, nonce }: ReportFile,
  before: UsedNonces | undefined,
  now: number,
): UsedNonces {
  const refuse = (code: 'time' | 'nonce', message: string) => {
    throw new ManifestRefusal(code, message, ecuId);
  };
  const at = time.getTime();
  const text = time.toISOString();
  if (at < now - OLDEST_REPORT_MS) refuse('time', `its report of ${text} is too old`);
  if (at > now + NEWEST_REPORT_MS) refuse('time', `its report of ${text} is in the future`);
  if (before === undefined || at > before.time) return { time: at, nonces: [nonce] };
  if (before.nonces.includes(nonce)) refuse('nonce', 'the nonce of its report was used before');
  if (at < before.time) {
    const last = new Date(before.time).toISOString();
    refuse('time', `its report of ${text} is older than its last one, of ${last}`);
  }
  if (before.nonces.length >= MOST_PER_SECOND) {
    refuse('nonce', `it has made ${MOST_PER_SECOND} reports in one second`);
  }
  return { time: at, nonces: [...before.nonces, nonce] };
}

const LONGEST = 100;

const shortened = (text: string) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

const quoted = (text: string) => JSON.stringify(shortened(text));
