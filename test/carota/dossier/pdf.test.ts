/** The dossier as a PDF, read by poppler, says what its JSON Lines say. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyDossier } from '../../../src/carota/dossier/index.js';
import { Paper } from '../../../src/carota/dossier/pdf/paper.js';
import { printable } from '../../../src/carota/dossier/pdf/printable.js';
import { hasPoppler, infoOf, pagesOf, squeezed } from '../../support/pdf.js';
import {
  type AdapterDouble,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from '../support/test-carota.js';
import { dossierOf, linesOf, runCampaign, VINS } from './campaign.js';

const REF_ID = 'schedule 0909 – größer';

let adapter: AdapterDouble;
let carota: TestCarota;

beforeAll(async () => {
  adapter = await startAdapterDouble();
  carota = await startTestCarota(adapter.url);
  await runCampaign(carota, REF_ID);
});
afterAll(async () => {
  await carota.stop();
  await adapter.stop();
});

/** Every value in a record. */
function* valuesIn(value: unknown): Generator<string> {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) yield* valuesIn(member);
  } else if (typeof value === 'string') yield value;
  else if (value !== null) yield JSON.stringify(value);
}

describe.skipIf(!hasPoppler)('the PDF', () => {
  test('has every value of every record, and on each page the sealed head of the chain', async () => {
    const lines = linesOf(await dossierOf(carota, REF_ID));
    const pdf = await dossierOf(carota, REF_ID, '?format=pdf');
    const pages = pagesOf(pdf);
    const text = squeezed(pages.join('\n'));
    // The PDF is of another dossier, written a moment later than the lines: these fields differ.
    const differs = new Set(['hash', 'writtenAt', 'type', 'seal', 'key', 'format']);
    const missing = lines
      .filter(({ type }) => type !== 'seal')
      .flatMap((line) => Object.entries(line).filter(([name]) => !differs.has(name)))
      .flatMap(([name, member]) => [...valuesIn(member)].map((value) => [name, value] as const))
      .filter(([, value]) => !text.includes(squeezed(value)));
    expect(missing).toEqual([]);
    const head = /chain ([0-9a-f]{64})/.exec(pages[0] ?? '')?.[1];
    expect(head).toBeDefined();
    expect(pages.every((page) => page.includes(`chain ${head}`))).toBe(true);
    expect(squeezed(pages.at(-1) ?? '')).toContain(`headofthechain${head}`);
    expect(pages.every((page, n) => page.includes(`page ${n + 1}`))).toBe(true);
    for (const part of ['Campaign', 'The update', 'Approvals, waves and decisions', 'Vehicles']) {
      expect(pages.filter((page) => page.split('\n').includes(part))).toHaveLength(1);
    }
    expect(readdirSync(join(carota.dataDir, 'incoming'))).toEqual([]);
  });

  test('has a title, and with pseudonyms no VIN', async () => {
    const pdf = await dossierOf(carota, REF_ID, '?format=pdf&pseudonymous=true');
    expect(infoOf(pdf)).toMatchObject({ Title: `Record of campaign ${REF_ID}`, Encrypted: 'no' });
    expect(pdf.includes('/Lang (en)')).toBe(true);
    const text = pagesOf(pdf).join('\n').toUpperCase();
    expect(VINS.filter((vin) => text.includes(vin))).toEqual([]);
    expect(text).toContain('VIN-');
  });

  test('is sent with its content type and a file name', async () => {
    const url = `${carota.carota.httpUrl}/v1.0/schedules/${encodeURIComponent(REF_ID)}/dossier?format=pdf`;
    const answer = await fetch(url, { headers: { 'authorization-token': carota.token } });
    expect(answer.headers.get('content-type')).toBe('application/pdf');
    const name = answer.headers.get('content-disposition') ?? '';
    expect(decodeURIComponent(name)).toBe(`attachment; filename*=UTF-8''dossier ${REF_ID}.pdf`);
    expect(
      Buffer.from(await answer.arrayBuffer())
        .subarray(0, 5)
        .toString(),
    ).toBe('%PDF-');
    await expect(verifyDossier([Buffer.from('%PDF-\n')])).rejects.toThrow('is not JSON');
  });
});

test.skipIf(!hasPoppler)(
  'texts of any kind are printed in full, over several pages if needed',
  async () => {
    const texts = {
      'one word': 'x'.repeat(9_000),
      words: 'a b '.repeat(3_000),
      'line breaks': `first${'\n'.repeat(500)}last`,
      'no Latin': '漢字'.repeat(500),
      empty: '',
    };
    const paper = new Paper({ title: 'Any', foot: 'foot', createdAt: 0 });
    paper.part('Texts');
    for (const [title, text] of Object.entries(texts)) {
      paper.write({ kind: 'facts', facts: [[title, text]] });
      paper.write({ kind: 'text', title, text });
      paper.write({ kind: 'line', text });
    }
    paper.end();
    const parts: Buffer[] = [];
    for await (const part of paper.output) parts.push(part as Buffer);
    const pages = pagesOf(Buffer.concat(parts));
    const text = squeezed(pages.map((page) => page.replace(/foot · page \d+/, '')).join(''));
    const times = (part: string) => text.split(part).length - 1;
    expect(times('x'.repeat(9_000))).toBe(3);
    expect(times('ab'.repeat(3_000))).toBe(3);
    expect([times('first'), times('last')]).toEqual([3, 3]);
    expect(times('\\u{6f22}\\u{5b57}'.repeat(500))).toBe(3);
    expect(pages.every((page) => page.includes('foot · page'))).toBe(true);
  },
);

test('invisible characters, and those that a font cannot print, are printed as code points', () => {
  const latin = (codePoint: number) => codePoint < 0x250 || codePoint > 0xffff;
  expect(printable('Größe\n漢 \u202Ea\u0000\u200B🚗', latin)).toBe(
    'Größe\n\\u{6f22} \\u{202e}a\\u{0}\\u{200b}🚗',
  );
});
