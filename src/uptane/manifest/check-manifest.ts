/**
 * A Director's checks of a manifest (Uptane, "Directing installation of images on vehicles", steps 3 and 4), against its
 * records of the vehicle.
 */
import { type PublicKey } from '../keys/public-key.js';
import { ManifestRefusal } from './manifest-refusal.js';
import { type ManifestFile, type ReportFile, type Statement } from './read-manifest.js';
import { claimFault } from './statement.js';

/** An ECU in the inventory. */
export interface RegisteredEcu {
  readonly ecuId: string;
  readonly hardwareId: string;
  readonly key: PublicKey;
  readonly isPrimary: boolean;
}

/** Replay protection of an ECU: its next report must be later, or have a new nonce within the same second. */
export interface UsedNonces {
  /** Of its last accepted report, ms. */
  readonly time: number;
  /** Of all accepted reports of that second. */
  readonly nonces: readonly string[];
}

/**
 * Maximum age of a report, ms: the Primary may not have been able to send it at once. Replays are recognised at any age;
 * this bounds how far a clock may lag.
 */
const OLDEST_REPORT_MS = 24 * 60 * 60 * 1000;
/** Maximum time of a report in the future, ms: an ECU's clock drifts between two verified times. */
const NEWEST_REPORT_MS = 5 * 60 * 1000;

/** Maximum number of reports of one ECU per second, which bounds the stored nonces. */
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
  // First, because nothing else in it can be trusted before.
  await checkSignature(manifest, primary, 'the manifest');
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
    [...manifest.reports].map(async ([ecuId, report]) => {
      const ecu = ecus.get(ecuId);
      if (ecu) await checkSignature(report, ecu, 'the report', ecuId);
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

/** Requires one signature by the registered key, with the method and hash that it names; others are ignored. */
async function checkSignature(
  { envelope: { signatures, signedBytes }, claims }: Statement,
  { key }: RegisteredEcu,
  what: string,
  ecuId?: string,
): Promise<void> {
  // One each, however many claim the key: otherwise a manifest full of wrong signatures would keep a Director busy.
  const at = signatures.findIndex(({ keyId }) => keyId === key.id);
  const [own, claim] = [signatures[at], claims[at]];
  const fault = claim && claimFault(claim, key, signedBytes);
  if (fault !== undefined) {
    throw new ManifestRefusal('signature', `the signature of ${what} ${fault}`, ecuId);
  }
  if (own && (await key.verifiesConcurrently(signedBytes, own.hex))) return;
  const message = own
    ? `the signature of ${what} does not verify with the registered key ${key.id}`
    : `${what} is not signed by the registered key ${key.id}`;
  throw new ManifestRefusal('signature', message, ecuId);
}

/**
 * The time in each report, and step 4: nonces.
 *
 * @param used replay protection of ECUs that have reported before
 * @param now ms
 * @returns the replay protection after this manifest is accepted
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
