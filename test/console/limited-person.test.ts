/** A person limited to one vehicle model, signed in through a real OpenID Connect provider, in a real Chromium. */
import { type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasTurn } from '../support/depth.js';
import { type TestAdapter, startTestAdapter } from '../support/adapter.js';
import {
  type IdentityProvider,
  settingsAt,
  startIdentityProvider,
} from '../support/identity-provider.js';
import { vehicleOf } from '../support/messages.js';
import { expectLoaded, hasChromium, open, startBrowser, visit } from './support/browser.js';

/** VINs of both models start alike, so one search could find both. */
const [own, foreign] = [vehicleOf(1, 'LMP'), vehicleOf(2, 'LMP')];
const MODELS = { own: 'vehicle model a', foreign: 'vehicle model b' };

// One of three such files in a quick run: sign-on, tokens, limited-person.
describe.runIf(hasTurn(2) && (await hasChromium()))('a person limited to one vehicle model', () => {
  let provider: IdentityProvider;
  let t: TestAdapter;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  /** All JSON that the server has sent to the page. */
  const received: Promise<string>[] = [];

  const trigger = async (refId: string, model: string, vin: string) => {
    const body = { model, 'ref-id': refId, 'script-ref-id': 'hu only 001', vins: [vin] };
    const { status } = await t.call('POST', '/v1.0/ota/trigger', {
      body: { time: 1625660275379, version: 'v1', body },
    });
    expect(status).toBe(202);
  };
  beforeAll(async () => {
    provider = await startIdentityProvider();
    provider.groups.set('leo', ['ota-staff', 'team-a']);
    t = await startTestAdapter({
      ...(await settingsAt(provider, 'adapter', [{ value: 'ota-staff', role: 'operator' }])),
      oidcScopeClaim: 'groups',
      oidcScopes: [{ value: 'team-a', model: MODELS.own }],
    });
    for (const [vehicle, model] of [
      [own, MODELS.own],
      [foreign, MODELS.foreign],
    ] as const) {
      const body = { system_id: vehicle.systemId, model };
      expect((await t.call('PUT', `/v1.0/vehicles/${vehicle.vin}`, { body })).status).toBe(201);
    }
    await trigger('foreign first', MODELS.foreign, foreign.vin);
    await trigger('own first', MODELS.own, own.vin);
    browser = await startBrowser();
    ({ page, complaints } = await open(browser, t.adapter.httpUrl));
    page.on('response', (response) => {
      // A live connection has no end; redirects have no body.
      if (response.headers()['content-type']?.includes('json')) {
        received.push(response.text().catch(() => ''));
      }
    });
    await page.getByRole('link', { name: 'Sign in with single sign-on' }).click();
    await page.locator('input[name=login]').fill('leo');
    await page.locator('input[name=password]').fill('any');
    await page.getByRole('button', { name: 'Sign-in' }).click();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
  });
  afterAll(async () => {
    await browser.close();
    await t.stop();
    await provider.stop();
  });

  test('finds vehicles of that model in the list, by search, and as they appear', async () => {
    await visit(page, '/', 'Operations');
    await page.getByRole('link', { name: 'own first' }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    // One of each appears while the list is open: the foreign one first, so that it would be there by then.
    await trigger('foreign later', MODELS.foreign, foreign.vin);
    await trigger('own later', MODELS.own, own.vin);
    await page.getByRole('link', { name: 'own later' }).waitFor();
    expect(await page.getByRole('link', { name: /foreign/ }).count()).toBe(0);

    await visit(page, '/vehicles', 'Vehicles');
    await page.getByLabel('VIN starts with').fill(own.vin.slice(0, 16));
    await page.getByRole('link', { name: own.vin }).first().waitFor();
    await page.getByLabel('VIN starts with').fill(foreign.vin);
    await page
      .getByText(`No vehicle in an operation has a VIN that starts with ${foreign.vin}.`)
      .waitFor();
    await page
      .getByText(`No registered vehicle has a VIN that starts with ${foreign.vin}.`)
      .waitFor();
    expect(complaints).toEqual([]);
  });

  test.each([
    ['an operation', '/operations/foreign%20first', 'foreign first', 'OPERATION_NOT_FOUND'],
    ['a vehicle', `/vehicles/${foreign.vin}`, foreign.vin, 'DEVICE_NOT_FOUND'],
    [
      'the vehicles of an operation',
      '/operations/foreign%20first/vehicles',
      /Vehicles of/,
      'OPERATION_NOT_FOUND',
    ],
  ])('a direct link to %s of another model finds nothing', async (_what, path, heading, found) => {
    await visit(page, path, heading);
    await page.getByText(found).first().waitFor();
    await expectLoaded(page);
    for (const button of ['Pause', 'Cancel operation', 'Retrigger']) {
      expect(await page.getByRole('button', { name: button }).count()).toBe(0);
    }
  });

  test('the page has received nothing of the other model, not even data that it does not show', async () => {
    const texts = (await Promise.all(received)).join('\n');
    expect(texts).toContain('own later');
    for (const hidden of [MODELS.foreign, foreign.systemId, 'foreign later']) {
      expect(texts).not.toContain(hidden);
    }
  });
});
