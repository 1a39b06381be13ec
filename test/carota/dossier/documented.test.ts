/** The dossier in docs/dossier, which `npm run dossier` makes of the quickstart's own campaign, is what it should be. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { verifyDossier, writePdf } from '../../../src/carota/dossier/index.js';
import { DossierLine } from '../../../src/contract/carota-api/index.js';
import { checkOf } from '../../../src/contract/index.js';
import { readPublicKeyFile } from '../../../src/uptane/signing/index.js';
import { hasPoppler, infoOf, pagesOf } from '../../support/pdf.js';
import { temporaryDirectory } from '../../support/servers.js';
import { linesOf } from './campaign.js';

const at = (name: string) =>
  new URL(`../../../docs/dossier/quickstart.${name}`, import.meta.url).pathname;
const dossier = readFileSync(at('jsonl'));
const lines = linesOf(dossier);

test('it is intact, sealed by the key beside it, and fits the schema', async () => {
  const key = await readPublicKeyFile(at('pub'));
  expect(await verifyDossier([dossier], [key])).toMatchObject({ refId: 'schedule 0911' });
  const check = checkOf(DossierLine);
  expect(lines.flatMap((line) => [...check.errors(line)])).toEqual([]);
});

test('it has what complete agents report: manifests, versions and conditions found, consents', () => {
  const vehicles = lines.filter(({ type }) => type === 'vehicle');
  expect(vehicles).toHaveLength(4);
  for (const { vin, configuration, foundVersions, conditions, consents } of vehicles) {
    const signed = JSON.parse(Buffer.from(configuration.manifest, 'base64').toString('utf8'));
    expect(signed.signed.vin).toBe(vin);
    expect(configuration.ecus.map(({ serial }: any) => serial).toSorted()).toEqual([
      `HU-${vin}`,
      `P-${vin}`,
    ]);
    expect(foundVersions).toEqual({ HU: '1.0.0' });
    expect(conditions).toMatchObject([
      { before: 'download', values: { battery: '80', gear: 'park' } },
      { before: 'installation', values: { battery: '80', gear: 'park' } },
    ]);
    expect(consents).toMatchObject([{ accepted: true, language: 'en', isTextOfScript: true }]);
  }
  expect(vehicles.map(({ state }) => state).toSorted()).toEqual([
    'rollback_success',
    'success',
    'success',
    'success',
  ]);
  const failures = lines.filter(({ type }) => type === 'failure');
  expect(failures.map((record) => record['status-name'])).toEqual(['failure', 'rollback_success']);
});

describe.skipIf(!hasPoppler)('the PDF', () => {
  test('is what the command makes of the lines, page by page', async () => {
    const again = join(temporaryDirectory('documented'), 'again.pdf');
    await writePdf(at('jsonl'), again);
    const documented = readFileSync(at('pdf'));
    expect(pagesOf(documented)).toEqual(pagesOf(readFileSync(again)));
    expect(infoOf(documented).Title).toBe('Record of campaign schedule 0911');
    const { hash } = lines.at(-1).seal;
    expect(pagesOf(documented).every((page) => page.includes(`chain ${hash}`))).toBe(true);
  });
});
