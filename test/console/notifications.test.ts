/** Notifications in a real Chromium: a rule, a test message that fails, and one that arrives. */
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  type AdapterDouble,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from '../carota/support/test-carota.js';
import {
  expectAccessible,
  expectGoodPages,
  hasChromium,
  open,
  signIn,
  startBrowser,
  VIEWS,
  visit,
} from './support/browser.js';

describe.runIf(await hasChromium())('notifications', () => {
  let status = 500;
  const receiver = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(status).end());
  });
  let adapter: AdapterDouble;
  let carota: TestCarota;
  let browser: Browser;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    adapter = await startAdapterDouble();
    carota = await startTestCarota(adapter.url, { callbackAllow: ['127.0.0.0/8'] });
    browser = await startBrowser();
    ({ page, complaints } = await open(browser, carota.carota.httpUrl));
    await signIn(page, carota.token);
  });
  afterAll(async () => {
    await browser.close();
    await carota.stop();
    await adapter.stop();
    receiver.closeAllConnections();
    await new Promise((resolve) => receiver.close(resolve));
  });
  afterEach(() => {
    expect(complaints).toEqual([]);
  });

  test('a rule is added, tested, switched off and removed', async () => {
    await visit(page, '/notifications', 'Notifications');
    await page.getByText('No notification rules yet.').waitFor();
    await page.getByLabel('Name').fill('on call');
    await page.getByLabel('The failure rate of a schedule is too high').check();
    await page.getByLabel('URL').fill('https://user@hooks.example/');
    await page.getByRole('button', { name: 'Add rule' }).click();
    await page.getByText('must not have a user name or password').waitFor();
    const { port } = receiver.address() as AddressInfo;
    await page.getByLabel('URL').fill(`http://127.0.0.1:${port}/hook`);
    await page.getByRole('button', { name: 'Add rule' }).click();
    await page.getByText(/^whsec_/).waitFor();
    const rules = page.getByRole('region', { name: 'Rules' });
    await rules.getByText('from 5 % failures, 20 results').waitFor();
    await expectAccessible(page);

    await rules.getByRole('button', { name: 'Send test' }).click();
    const deliveries = page.getByRole('region', { name: 'Deliveries' });
    await deliveries.getByText('the receiver answered 500').waitFor();
    status = 204;
    await rules.getByRole('button', { name: 'Send test' }).click();
    await deliveries
      .getByText(/^delivered/)
      .first()
      .waitFor();

    await rules.getByRole('button', { name: 'Switch off' }).click();
    await rules.getByRole('button', { name: 'Switch on' }).waitFor();
    await rules.getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('No notification rules yet.').waitFor();
    await page.getByText('No notifications yet.').waitFor();
  });

  test.each(VIEWS)('axe finds no violation, and nothing jumps: %o', (view) =>
    expectGoodPages(browser, { httpUrl: carota.carota.httpUrl, token: carota.token }, view, [
      { path: '/notifications', heading: 'Notifications' },
    ]),
  );
});
