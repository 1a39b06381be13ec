/** The ECU version report (Uptane, "ECU version report"): an ECU's own statement of its running image. */
import { type PlainJson } from '../json/canonical-json.js';
import { type Hashes } from '../metadata/hashes.js';
import { formatUtcTime } from '../metadata/utc-time.js';
import { type Attack } from '../refusal.js';
import { type SignedPart } from '../signing/sign.js';

/** An image in an ECU's report: the non-custom metadata of its target, and its release counter. */
export interface ReportedImage {
  /** Target path. */
  readonly path: string;
  /** bytes */
  readonly length: number;
  readonly hashes: Hashes;
  readonly releaseCounter: number;
}

/** Content of `signed` in a report. */
export interface EcuReport {
  readonly vin: string;
  /** Serial number of the ECU. */
  readonly ecuId: string;
  readonly hardwareId: string;
  /** `undefined`: the ECU has no image from a repository. */
  readonly installed: ReportedImage | undefined;
  /** The latest time verified by the ECU, in whole seconds. */
  readonly time: Date;
  /** 32 lower-case hex digits, new in each report. */
  readonly nonce: string;
  /** An attack detected by the ECU since its last report. A Director accepts unknown names too. */
  readonly attack?: Attack | (string & {}) | undefined;
  /** Description of the attack for people: up to 1,000 characters. */
  readonly reason?: string | undefined;
}

/** The `signed` value that the ECU signs (as canonical JSON) with its own key. */
export function ecuReportPayload(report: EcuReport): SignedPart {
  const { vin, ecuId, hardwareId, installed, time, nonce, attack, reason } = report;
  return {
    _type: 'ecu-report',
    vin,
    ecu: ecuId,
    hardwareId,
    ...(installed === undefined ? {} : { installed: imagePayload(installed) }),
    time: formatUtcTime(time),
    nonce,
    ...(attack === undefined ? {} : { attack }),
    ...(reason === undefined ? {} : { reason }),
  };
}

const imagePayload = ({ path, length, hashes, releaseCounter }: ReportedImage): PlainJson => ({
  path,
  length,
  hashes: Object.fromEntries(hashes),
  releaseCounter,
});
