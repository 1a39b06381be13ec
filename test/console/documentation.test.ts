/** The `/docs` pages of both servers work under a policy that lets no foreign script run. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAdapterDouble, startTestCarota } from '../carota/support/test-carota.js';
import { startTestAdapter } from '../support/adapter.js';
import { sampleOf } from '../support/depth.js';
import { hasChromium, open, startBrowser } from './support/browser.js';

const adapterAlone = async () => {
  const t = await startTestAdapter();
  return { url: t.adapter.httpUrl, stop: () => t.stop() };
};
const carotaAlone = async () => {
  const double = await startAdapterDouble();
  const t = await startTestCarota(double.url);
  return {
    url: t.carota.httpUrl,
    stop: async () => {
      await t.stop();
      await double.stop();
    },
  };
};

const SERVERS = [
  ['OTA Adapter', adapterAlone],
  ['CarOTA Server', carotaAlone],
] as const;

describe.runIf(await hasChromium()).each(sampleOf(SERVERS, 2))('%s', (_name, start) => {
  let browser: Browser;
  let server: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    server = await start();
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  test('shows the routes, without a violation of its policy', async () => {
    const { page, complaints } = await open(browser, server.url);
    const answer = await page.goto('/docs');
    expect(answer?.headers()['content-security-policy']).toContain("frame-ancestors 'none'");
    await page.getByText('/v1.0/audit/export').first().waitFor();
    expect(complaints).toEqual([]);
  });

  test('/docs runs no injected script', async () => {
    const { page, complaints } = await open(browser, server.url);
    await page.goto('/docs');
    await page.getByText('/v1.0/audit/export').first().waitFor();
    // As through a flaw of the page: an element with a handler, and one with a script. (A script of the test itself may
    // do what the policy forbids to the page.)
    await page.locator('body').evaluate((body) => {
      body.insertAdjacentHTML(
        'beforeend',
        '<img src="data:image/png;base64,x" onerror="document.title = \'taken\'">',
      );
      const script = body.ownerDocument.createElement('script');
      script.textContent = 'document.title = "taken"';
      body.append(script);
    });
    await expect
      .poll(() => complaints.filter((text) => text.includes('Content Security Policy')).length)
      .toBeGreaterThanOrEqual(2);
    expect(await page.title()).not.toBe('taken');
  });

  test('/docs cannot be framed by another site', async () => {
    const other = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(
        `<iframe src="${server.url}/openapi.json"></iframe><iframe src="${server.url}/docs"></iframe>`,
      );
    }).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`);
    // The page itself, the frame that it may show, and the one that it may not.
    await expect
      .poll(() => page.frames().map((frame) => frame.url().replace(/^(chrome-error:).*/, '$1')))
      .toEqual([page.url(), `${server.url}/openapi.json`, 'chrome-error:']);
    await page.close();
    other.close();
  });
});
