/** The page of tokens in a real Chromium: created, used, replaced, revoked. */
import { type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hasTurn } from '../support/depth.js';
import { startTestCarota, type TestCarota } from '../carota/support/test-carota.js';
import { startTestAdapter, type TestAdapter } from '../support/adapter.js';
import {
  expectGoodPages,
  hasChromium,
  open,
  signIn,
  startBrowser,
  VIEWS,
  visit,
} from './support/browser.js';

// One of three such files in a quick run: sign-on, tokens, limited-person.
describe.runIf(hasTurn(1) && (await hasChromium()))('tokens', () => {
  let t: TestAdapter;
  let carota: TestCarota;
  let browser: Browser;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    t = await startTestAdapter();
    carota = await startTestCarota('http://127.0.0.1:1');
    browser = await startBrowser();
    ({ page, complaints } = await open(browser, t.adapter.httpUrl));
    await signIn(page, t.token);
  });
  afterAll(async () => {
    await browser.close();
    await carota.stop();
    await t.stop();
  });
  afterEach(() => {
    expect(complaints).toEqual([]);
  });

  const row = (name: string) => page.getByRole('row', { name });
  const shown = async () => (await page.getByRole('status').locator('code').innerText()).trim();
  const mayRead = async (token: string) =>
    (await t.call('GET', '/v1.0/ota/operations', { token })).status === 200;
  let first: string;

  test('a token is created, and shown once', async () => {
    await visit(page, '/tokens', 'Tokens');
    await page.getByLabel('Name').fill('dashboard');
    await page.getByLabel('Role').selectOption('viewer');
    await page.getByLabel('Valid for, days').fill('0');
    await page.getByText('Must be 1 or more.').waitFor();
    await page.getByLabel('Valid for, days').fill('30');
    await page.getByRole('button', { name: 'Create token' }).click();
    await row('dashboard').getByText('Never').waitFor();
    first = await shown();
    expect(await mayRead(first)).toBe(true);
    await page.getByRole('button', { name: 'Done' }).click();
    await expect.poll(() => page.getByText(first).count()).toBe(0);
  });

  test('after a token is replaced, both work during the overlap', async () => {
    await row('dashboard').getByRole('button', { name: 'Replace' }).click();
    const dialog = page.getByRole('alertdialog');
    await dialog.getByLabel('Overlap, hours').fill('2');
    await dialog.getByRole('button', { name: 'Create successor' }).click();
    await page.getByText('(replaced)').waitFor();
    const second = await shown();
    expect([await mayRead(first), await mayRead(second)]).toEqual([true, true]);
  });

  test('an old token is revoked, and then shown only on request', async () => {
    const old = page.getByRole('row').filter({ hasText: '(replaced)' });
    await old.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Revoke' }).click();
    await expect.poll(() => row('dashboard').count()).toBe(1);
    expect(await mayRead(first)).toBe(false);
    await page.getByLabel('Show revoked and expired tokens').check();
    await expect.poll(() => row('dashboard').count()).toBe(2);
  });

  test('only administrators are offered the page', async () => {
    const { page: other } = await open(browser, t.adapter.httpUrl);
    await signIn(other, await t.tokenFor('viewer'));
    await other.getByRole('link', { name: 'Operations' }).waitFor();
    expect(await other.getByRole('link', { name: 'Tokens' }).count()).toBe(0);
    await visit(other, '/tokens', 'Tokens');
    await other.getByText('Only administrators see tokens.').waitFor();
  });

  test.each(VIEWS)('the page is good on both servers: %o', async (view) => {
    const pages = [{ path: '/tokens', heading: 'Tokens' }];
    await expectGoodPages(browser, { httpUrl: t.adapter.httpUrl, token: t.token }, view, pages);
    const server = { httpUrl: carota.carota.httpUrl, token: carota.token };
    await expectGoodPages(browser, server, view, pages);
  });
});
