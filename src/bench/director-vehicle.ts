/** A vehicle of three ECUs for the Director: keys, and manifests that were signed before they are needed. */
import { type EcuRegistration } from '../contract/carota-api/index.js';
import { ecuReportPayload } from '../uptane/manifest/ecu-report.js';
import { newNonce } from '../uptane/manifest/nonce.js';
import { signStatement } from '../uptane/manifest/statement.js';
import { manifestPayload } from '../uptane/manifest/vehicle-manifest.js';
import { generateKey } from '../uptane/signing/generate-key.js';
import { localSigner } from '../uptane/signing/local-signer.js';
import { type WrittenEnvelope, writeEnvelope } from '../uptane/signing/sign.js';
import { type Signer } from '../uptane/signing/signer.js';

interface BenchEcu {
  readonly serial: string;
  readonly name: string;
  readonly hardwareId: string;
  readonly signer: Signer;
}

export interface BenchVehicle {
  readonly vin: string;
  readonly ecus: readonly BenchEcu[];
}

export const ECU_NAMES = ['OTA-MANAGER', 'HU', 'TCU'] as const;

export const hardwareIdOf = (name: string): string => `hw-${name.toLowerCase()}`;

export const benchVehicle = (vin: string): BenchVehicle => ({
  vin,
  ecus: ECU_NAMES.map((name) => ({
    serial: `${name}-${vin}`,
    name,
    hardwareId: hardwareIdOf(name),
    signer: localSigner(generateKey('ed25519')),
  })),
});

export const registrationsOf = ({ ecus }: BenchVehicle): EcuRegistration[] =>
  ecus.map(({ serial, name, hardwareId, signer }, place) => ({
    serial,
    name,
    hardwareId,
    publicKey: signer.key as EcuRegistration['publicKey'],
    isPrimary: place === 0,
  }));

/** @param time of its reports */
export async function benchManifest({ vin, ecus }: BenchVehicle, time: Date): Promise<Buffer> {
  const ecuReports = new Map<string, WrittenEnvelope>();
  for (const { serial, hardwareId, signer } of ecus) {
    const report = {
      vin,
      ecuId: serial,
      hardwareId,
      installed: INSTALLED,
      time,
      nonce: newNonce(),
    };
    ecuReports.set(serial, await signStatement(ecuReportPayload(report), signer));
  }
  const [primary] = ecus;
  if (!primary) throw new Error('a vehicle has a Primary');
  const payload = manifestPayload({ vin, primary: primary.serial, ecuReports });
  return writeEnvelope(await signStatement(payload, primary.signer));
}

const INSTALLED = {
  path: 'artifacts/factory',
  length: 1_000_000,
  hashes: new Map([
    ['sha256', 'a'.repeat(64)],
    ['sha512', 'b'.repeat(128)],
  ]),
  releaseCounter: 1,
};
