/** The ECU version report, signed by the ECU's own key (Uptane, "ECU version report"). */
import { type InstalledImage } from '../../uptane/director/installed-image.js';
import { ecuReportPayload } from '../../uptane/manifest/ecu-report.js';
import { newNonce } from '../../uptane/manifest/nonce.js';
import { signStatement } from '../../uptane/manifest/statement.js';
import { type WrittenEnvelope } from '../../uptane/signing/sign.js';
import { type Signer } from '../../uptane/signing/signer.js';
import { type EcuIdentity } from './ecu-identity.js';
import { type Detection } from './image-record.js';

export interface VersionReport {
  readonly identity: EcuIdentity;
  readonly signer: Signer;
  /** The running image, if its metadata is known. */
  readonly installed: InstalledImage | undefined;
  /** Trusted time, ms. */
  readonly now: number;
  readonly detection: Detection | undefined;
}

/** Each report has its own nonce, so that none can be replayed. */
export function signedReport(report: VersionReport): Promise<WrittenEnvelope> {
  const { identity, signer, installed, now, detection } = report;
  const payload = ecuReportPayload({
    vin: identity.vin,
    ecuId: identity.serial,
    hardwareId: identity.hardwareId,
    installed,
    time: new Date(now),
    nonce: newNonce(),
    attack: detection?.attack,
    reason: detection?.reason,
  });
  return signStatement(payload, signer);
}
