/**
 * No change of a dossier goes unnoticed: our verifier and the one in Python, which shares no code with it, find every
 * changed byte, and every missing, repeated or moved line.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BadDossier, verifyDossier } from '../../../src/carota/dossier/index.js';
import { seal, sortedJson } from '../../../src/service/chain/index.js';
import { generateKey } from '../../../src/uptane/signing/index.js';
import { localSigner } from '../../../src/uptane/signing/local-signer.js';
import { byDepth, sampleOf, seed } from '../../support/depth.js';
import { ifInstalled } from '../../support/servers.js';
import { tufPython } from '../../uptane/foreign/python.js';
import {
  type AdapterDouble,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from '../support/test-carota.js';
import { dossierOf, linesOf, publishRecorded, runCampaign } from './campaign.js';

const EXAMPLES = fileURLToPath(new URL('../../../examples', import.meta.url));
const TAMPER = fileURLToPath(new URL('tamper.py', import.meta.url));

const python = await ifInstalled(tufPython);

let adapter: AdapterDouble;
let carota: TestCarota;
/** The dossiers of a complete campaign and of one that has not started. */
let large: Buffer;
let small: Buffer;

beforeAll(async () => {
  adapter = await startAdapterDouble();
  carota = await startTestCarota(adapter.url);
  await runCampaign(carota, 'schedule 0909');
  large = await dossierOf(carota, 'schedule 0909');
  await publishRecorded(carota, 'small');
  const start = '2099-01-01T00:00:00Z';
  const body = { 'ref-id': 'small', 'script-ref-id': 'small', model: MODEL, vins: [], start };
  expect((await carota.call('POST', '/v1.0/schedules', { body })).status).toBe(201);
  small = await dossierOf(carota, 'small');
});
afterAll(async () => {
  await carota.stop();
  await adapter.stop();
});

const isIntact = (dossier: Uint8Array) =>
  verifyDossier([dossier]).then(
    () => true,
    (error: unknown) => {
      if (error instanceof BadDossier) return false;
      throw error;
    },
  );

interface PythonFindings {
  readonly intact: number[];
  readonly flips: number;
  readonly unnoticed: number[];
}

function inPython(dossiers: readonly Buffer[], flip: Buffer, masks: readonly number[]) {
  const input = JSON.stringify({
    dossiers: dossiers.map((dossier) => dossier.toString('base64')),
    flip: flip.toString('base64'),
    masks,
  });
  const output = execFileSync(python ?? '', [TAMPER, EXAMPLES], { input });
  return JSON.parse(output.toString()) as PythonFindings;
}

/** The XOR mask for each byte, which differs from run to run. */
const masksOf = (dossier: Buffer) =>
  Array.from(dossier, (_byte, place) => ((place * 7_919 + seed) % 255) + 1);

/** A dossier of these lines. */
const joined = (lines: readonly string[]) => Buffer.from(lines.map((line) => `${line}\n`).join(''));
const split = (dossier: Buffer) => dossier.toString('utf8').trimEnd().split('\n');

describe('a dossier in which', () => {
  test('any byte is changed is not intact', async () => {
    const masks = masksOf(small);
    const unnoticed: number[] = [];
    for (const [offset, mask] of sampleOf([...masks.entries()], 4)) {
      const changed = Buffer.from(small);
      changed[offset] = (changed[offset] ?? 0) ^ mask;
      if (await isIntact(changed)) unnoticed.push(offset);
    }
    expect(unnoticed).toEqual([]);
    expect(masks.length).toBeGreaterThan(2_000);
  });

  test('any bit is flipped, or a line ending is changed, is not intact', async () => {
    for (const mask of [0x20, 0x07]) {
      for (let offset = large.length - 1; offset > 0; offset -= byDepth({ quick: 151, full: 37 })) {
        const changed = Buffer.from(large);
        changed[offset] = (changed[offset] ?? 0) ^ mask;
        expect([offset, mask, await isIntact(changed)]).toEqual([offset, mask, false]);
      }
      const changed = Buffer.from(large);
      const lf = changed.indexOf(0x0a);
      changed[lf] = 0x0a ^ mask;
      expect(await isIntact(changed)).toBe(false);
    }
  });

  test('a line is missing, repeated or moved is not intact', async () => {
    const lines = split(large);
    for (const place of lines.keys()) {
      const line = lines[place] ?? '';
      expect(await isIntact(joined(lines.toSpliced(place, 1)))).toBe(false);
      expect(await isIntact(joined(lines.toSpliced(place, 0, line)))).toBe(false);
      if (place === 0) continue;
      const swapped = joined(lines.with(place, lines[place - 1] ?? '').with(place - 1, line));
      expect(await isIntact(swapped)).toBe(false);
    }
    for (let length = 0; length < lines.length; length++) {
      expect(await isIntact(joined(lines.slice(0, length)))).toBe(false);
    }
    expect(await isIntact(large.subarray(0, -1))).toBe(false);
    expect(await isIntact(Buffer.concat([large, large]))).toBe(false);
  });

  test('another key made the seal is rejected if only the server’s key is trusted', async () => {
    const lines = split(large);
    const { key, seal: sealed } = linesOf(large).at(-1);
    const other = localSigner(generateKey('ed25519'));
    const forged = await seal(other, sealed);
    const line = sortedJson({ type: 'seal', key: { ...other.key }, seal: { ...forged } });
    const changed = joined(lines.with(-1, line));
    // It is an intact dossier, but not ours.
    expect(await isIntact(changed)).toBe(true);
    await expect(verifyDossier([changed], [key])).rejects.toThrow('which is not trusted');
    await expect(verifyDossier([large], [key])).resolves.toMatchObject({ keyId: sealed.keyid });
    const stolen = sortedJson({ type: 'seal', key, seal: { ...forged } });
    expect(await isIntact(joined(lines.with(-1, stolen)))).toBe(false);
  });
});

describe.skipIf(python === undefined)('the verifier in Python', () => {
  test('accepts intact dossiers, and finds every changed byte and line', () => {
    const lines = split(large);
    const changed = [...lines.keys()].flatMap((place) => [
      joined(lines.toSpliced(place, 1)),
      joined(lines.toSpliced(place, 0, lines[place] ?? '')),
      joined(lines.slice(0, place)),
    ]);
    const masks = masksOf(small);
    const found = inPython([large, small, ...changed], small, masks);
    expect(found).toEqual({ intact: [0, 1], flips: small.length, unnoticed: [] });
  });
});
