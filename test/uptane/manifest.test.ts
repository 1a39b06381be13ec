/** Manifests: a Director reads exactly what an ECU signed, and accepts nothing damaged. */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  checkFreshness,
  checkManifest,
  type RegisteredEcu,
} from '../../src/uptane/manifest/check-manifest.js';
import { type EcuReport, ecuReportPayload } from '../../src/uptane/manifest/ecu-report.js';
import { canonicalJson } from '../../src/uptane/json/canonical-json.js';
import { ManifestRefusal } from '../../src/uptane/manifest/manifest-refusal.js';
import { newNonce } from '../../src/uptane/manifest/nonce.js';
import { readManifest } from '../../src/uptane/manifest/read-manifest.js';
import { manifestPayload } from '../../src/uptane/manifest/vehicle-manifest.js';
import { Refusal } from '../../src/uptane/refusal.js';
import { publicKeyOf } from '../../src/uptane/signing/listed-key.js';
import { localSigner } from '../../src/uptane/signing/local-signer.js';
import { signStatement } from '../../src/uptane/manifest/statement.js';
import { type WrittenEnvelope, writeEnvelope } from '../../src/uptane/signing/sign.js';
import { byDepth, seed } from '../support/depth.js';
import { Mutations } from './support/mutations.js';

const VIN = '5YJSA1E40FF345678';
const NOW = Date.parse('2026-11-27T12:00:00Z');
// A serial number can be any text.
const SERIALS = ['P-1', '__proto__', 'ü "1"'];
const signers = new Map(
  SERIALS.map((serial) => [serial, localSigner(generateKeyPairSync('ed25519').privateKey)]),
);
const signerOf = (serial: string) => {
  const signer = signers.get(serial);
  if (!signer) throw new Error(`there is no ECU ${serial}`);
  return signer;
};
const ecus = new Map<string, RegisteredEcu>(
  [...signers].map(([ecuId, { key }]) => [
    ecuId,
    { ecuId, hardwareId: 'hw-a', key: publicKeyOf(key), isPrimary: ecuId === 'P-1' },
  ]),
);

const reportOf = (ecuId: string): EcuReport => ({
  vin: VIN,
  ecuId,
  hardwareId: 'hw-a',
  installed: {
    path: 'artifacts/ü',
    length: 5,
    hashes: new Map([['sha256', 'a'.repeat(64)]]),
    releaseCounter: 3,
  },
  time: new Date(NOW),
  nonce: newNonce(),
  attack: ecuId === 'P-1' ? 'freeze' : undefined,
  reason: ecuId === 'P-1' ? 'it has "expired"' : undefined,
});

async function manifest(reports = SERIALS.map(reportOf)): Promise<Buffer> {
  const ecuReports = new Map<string, WrittenEnvelope>();
  for (const report of reports) {
    const signed = await signStatement(ecuReportPayload(report), signerOf(report.ecuId));
    ecuReports.set(report.ecuId, signed);
  }
  const payload = manifestPayload({ vin: VIN, primary: 'P-1', ecuReports });
  return writeEnvelope(await signStatement(payload, signerOf('P-1')));
}

const accept = async (bytes: Uint8Array) => {
  const file = readManifest(bytes);
  await checkManifest(file, VIN, ecus);
  checkFreshness(file, new Map(), NOW);
  return file;
};

test('reports written by ECUs are read back unchanged', async () => {
  const reports = SERIALS.map(reportOf);
  const { reports: read } = await accept(await manifest(reports));
  for (const report of reports) expect(read.get(report.ecuId)).toMatchObject(report);
  expect(read.size).toBe(3);
});

test('a right signature does not count under another key id, or after a wrong one with its id', async () => {
  const bytes = await manifest();
  const file = JSON.parse(bytes.toString());
  const [signature] = file.signatures;
  const changed = (signatures: object[]) => Buffer.from(JSON.stringify({ ...file, signatures }));
  const refusal = expect.objectContaining({ code: 'signature' });
  await expect(accept(changed([]))).rejects.toThrow(refusal);
  const renamed = changed([{ ...signature, keyid: 'a'.repeat(64) }]);
  await expect(accept(renamed)).rejects.toThrow(refusal);
  // Each report is verified once, so a megabyte of wrong signatures costs no more.
  const second = changed([{ ...signature, sig: '00' }, signature]);
  await expect(accept(second)).rejects.toThrow(refusal);
  const stranger = { keyid: 'b'.repeat(64), sig: '00' };
  expect((await accept(changed([stranger, signature]))).vin).toBe(VIN);
});

test('each signature names its method and the hash of the signed content, and both must be right', async () => {
  const bytes = await manifest();
  const file = JSON.parse(bytes.toString());
  const report = file.signed.ecuReports[SERIALS[2] ?? ''];
  for (const { signatures, signed } of [file, report]) {
    const sha256 = createHash('sha256').update(canonicalJson(signed)).digest('hex');
    expect(signatures).toMatchObject([{ method: 'ed25519', hash: { sha256 } }]);
  }
  const changed = (signature: object) => {
    const signatures = [{ ...file.signatures[0], ...signature }];
    return Buffer.from(JSON.stringify({ ...file, signatures }));
  };
  await expect(accept(changed({ method: 'rsassa-pss-sha256' }))).rejects.toThrow(
    'the signature of the manifest names a method other than ed25519',
  );
  await expect(accept(changed({ hash: { sha256: 'a'.repeat(64) } }))).rejects.toThrow(
    'the signature of the manifest names a hash that is not the SHA-256 of the signed content',
  );
  await expect(accept(changed({ method: 1 }))).rejects.toThrow(Refusal);
  await expect(accept(changed({ hash: { sha256: null } }))).rejects.toThrow(Refusal);
  // Other vehicles may omit them, or add other hashes.
  const { keyid, sig } = file.signatures[0];
  for (const more of [{}, { hash: { sha512: 'b' } }]) {
    const signatures = [{ keyid, sig, ...more }];
    const plain = Buffer.from(JSON.stringify({ ...file, signatures }));
    expect((await accept(plain)).vin).toBe(VIN);
  }
  // The same for an ECU's report in a manifest that the Primary has signed.
  report.signatures[0].hash.sha256 = 'c'.repeat(64);
  const other = await signStatement(file.signed, signerOf('P-1'));
  const refusal = { code: 'signature', ecuId: SERIALS[2] };
  await expect(accept(writeEnvelope(other))).rejects.toMatchObject(refusal);
});

test('damaged manifests are rejected without a crash, unless their content is unchanged', async () => {
  const original = await manifest();
  const said = (await accept(original)).envelope.signedBytes;
  const mutations = new Mutations(seed);
  const damaged = byDepth({ quick: 1_500, full: 100_000 });
  let refused = 0;
  for (let count = 0; count < damaged; count++) {
    const bytes = mutations.ofBytes(original);
    try {
      expect((await accept(bytes)).envelope.signedBytes).toEqual(said);
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof ManifestRefusal)) throw error;
      refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(1_000);
});

test('the number of stored nonces per ECU is bounded', async () => {
  let used: ReturnType<typeof checkFreshness> = new Map();
  const next = async () => {
    used = checkFreshness(readManifest(await manifest()), used, NOW);
  };
  for (let count = 0; count < 64; count++) await next();
  expect(used.get('P-1')?.nonces).toHaveLength(64);
  await expect(next()).rejects.toThrow(expect.objectContaining({ code: 'nonce' }));
  const later = SERIALS.map((ecuId) => ({ ...reportOf(ecuId), time: new Date(NOW + 1_000) }));
  used = checkFreshness(readManifest(await manifest(later)), used, NOW);
  expect(used.get('P-1')?.nonces).toHaveLength(1);
});
