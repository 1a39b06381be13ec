/** The page of the audit log: filters, the chain and its seal, verification, export. */
import { readFile } from 'node:fs/promises';
import { type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { verifyLog } from '../../src/service/audit/index.js';
import { eventually, startTestAdapter, type TestAdapter } from '../support/adapter.js';
import { vehicleOf } from '../support/messages.js';
import {
  expectAccessible,
  hasChromium,
  open,
  signIn,
  startBrowser,
  visit,
} from './support/browser.js';

const vehicle = vehicleOf(1, 'CSA');

describe.runIf(await hasChromium())('audit log', () => {
  let t: TestAdapter;
  let browser: Browser;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    t = await startTestAdapter();
    await t.register(vehicle);
    await t.trigger('audited', [vehicle.vin]);
    await t.call('POST', '/v1.0/ota/operations/audited/pause', { body: { reason: 'ticket 4711' } });
    const viewer = await t.tokenFor('viewer');
    await t.call('POST', '/v1.0/ota/operations/audited/cancel', { token: viewer });
    browser = await startBrowser();
    ({ page, complaints } = await open(browser, t.adapter.httpUrl));
    await signIn(page, t.token);
  });
  afterAll(async () => {
    await browser.close();
    await t.stop();
  });
  afterEach(() => {
    expect(complaints).toEqual([]);
  });

  const rows = () => page.getByRole('region', { name: 'Audit log' }).locator('tbody tr');

  test('an action and a refusal are found by who, action, outcome and subject', async () => {
    await visit(page, '/audit', 'Audit log');
    await page.getByLabel('Action is').fill('pause');
    await expect.poll(() => rows().count()).toBe(1);
    expect(await rows().first().innerText()).toMatch(
      /initial admin\s+127\.0\.0\.1\s+pause\s+audited\s+.*ticket 4711/s,
    );
    await page.getByLabel('Action is').fill('');
    await page.getByLabel('Outcome').selectOption('refused');
    await page.getByLabel('Who is').fill('test viewer');
    await expect.poll(() => rows().count()).toBe(1);
    expect(await rows().first().innerText()).toMatch(/cancel\s+refused FORBIDDEN\s+audited/);
    await page.getByLabel('Subject is').fill('another');
    await page.getByText('No entries match.').waitFor();
    await page.getByLabel('Subject is').fill('audited');
    await expect.poll(() => rows().count()).toBe(1);
    expect(new URL(page.url()).search).toContain('outcome=refused');
    await page.getByLabel('To').fill('2020-01-01T00:00');
    await page.getByText('No entries match.').waitFor();
    await expectAccessible(page);
  });

  test('the chain shows how far it reaches, and is verified', async () => {
    await eventually(
      async () => (await t.call('GET', '/v1.0/audit/status')).body,
      ({ pending, seal }) => pending === 0 && seal !== null,
    );
    await visit(page, '/audit', 'Audit log');
    const card = page.getByRole('region', { name: 'Hash chain' });
    await card.getByText('all chained').waitFor();
    await card.getByText(/^entries up to \d+$/).waitFor();
    await card.getByRole('button', { name: 'Verify now' }).click();
    await card.getByText(/^Intact: \d+ entries, sealed up to entry \d+$/).waitFor();
    await expectAccessible(page);
  });

  test('the export is a file that verifies', async () => {
    const downloading = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Export' }).click();
    const download = await downloading;
    expect(download.suggestedFilename()).toBe('audit-adapter.jsonl');
    const lines = (await readFile(await download.path(), 'utf8')).trimEnd().split('\n');
    expect(await verifyLog(lines)).toMatchObject({ intact: true, seals: 1 });
  });
});
