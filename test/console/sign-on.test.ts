/** People sign in to the console of both servers in a real Chromium, at a real OpenID Connect provider. */
import { type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hasTurn } from '../support/depth.js';
import { ADAPTER_SCHEMA } from '../../src/adapter/schema.js';
import { type Database, openPostgres } from '../../src/service/database/index.js';
import { startTestCarota, type TestCarota } from '../carota/support/test-carota.js';
import { startTestAdapter, type TestAdapter } from '../support/adapter.js';
import { newDatabase, type TestDatabase } from '../support/databases.js';
import {
  type IdentityProvider,
  settingsAt,
  startIdentityProvider,
} from '../support/identity-provider.js';
import { vehicleOf } from '../support/messages.js';
import { expectAccessible, hasChromium, open, startBrowser, visit } from './support/browser.js';

// One of three such files in a quick run: sign-on, tokens, limited-person.
describe.runIf(hasTurn(0) && (await hasChromium()))('single sign-on', () => {
  let provider: IdentityProvider;
  let adapter: TestAdapter;
  let carota: TestCarota;
  let stored: TestDatabase;
  let database: Database;
  let browser: Browser;
  let page: Page;
  let complaints: string[];

  const settingsOf = (clientId: string) =>
    settingsAt(provider, clientId, [
      { value: 'planners', role: 'planner' },
      { value: 'operators', role: 'operator' },
    ]);

  beforeAll(async () => {
    provider = await startIdentityProvider();
    provider.groups.set('ada', ['planners', 'operators']);
    stored = await newDatabase(ADAPTER_SCHEMA);
    database = openPostgres({ url: stored.url });
    adapter = await startTestAdapter({ ...(await settingsOf('adapter')), databaseUrl: stored.url });
    carota = await startTestCarota(adapter.adapter.httpUrl, await settingsOf('carota'));
    browser = await startBrowser();
    ({ page, complaints } = await open(browser, adapter.adapter.httpUrl));
  });
  afterAll(async () => {
    await browser.close();
    await carota.stop();
    await adapter.stop();
    await database.close();
    await stored.drop();
    await provider.stop();
  });
  afterEach(() => {
    expect(complaints).toEqual([]);
  });

  const ONE_CLICK = { name: 'Sign in with single sign-on' };
  const signedIn = () => page.getByRole('button', { name: 'Sign out' }).waitFor();

  /** Signs in on the pages of the provider. */
  async function authenticate(name: string): Promise<void> {
    await page.locator('input[name=login]').fill(name);
    await page.locator('input[name=password]').fill('any');
    await page.getByRole('button', { name: 'Sign-in' }).click();
  }
  const consent = () => page.getByRole('button', { name: 'Continue' }).click();

  test('the adapter’s console leads to the provider, and back to the requested page', async () => {
    await page.goto('/console/health');
    await page.getByRole('link', ONE_CLICK).waitFor();
    await expectAccessible(page);
    await page.getByRole('link', ONE_CLICK).click();
    await authenticate('ada');
    await consent();
    await signedIn();
    expect(new URL(page.url()).pathname).toBe('/console/health');
    await page.getByText('Name of ada').waitFor();
    await page.getByText('operator', { exact: true }).waitFor();
    const cookies = await page.context().cookies();
    const session = cookies.find(({ name }) => name === 'otaops_adapter');
    expect(session).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
    expect(page.url()).not.toContain('code=');
  });

  test('the CarOTA Server’s console then asks for no password', async () => {
    await page.goto(`${carota.carota.httpUrl}/console/`);
    await page.getByRole('link', ONE_CLICK).click();
    await consent();
    await signedIn();
    await page.getByText('planner', { exact: true }).waitFor();
  });

  test('to cancel an operation an hour after sign-in, the password is required again', async () => {
    const vehicle = vehicleOf(1, 'CSS');
    await adapter.register(vehicle);
    await adapter.trigger('schedule 1', [vehicle.vin]);
    await database.query("update sessions set authenticated_at = now() - interval '1 hour'");
    const path = `${adapter.adapter.httpUrl}/console/operations/schedule%201`;
    await page.goto(path);
    await page.getByRole('button', { name: 'Cancel operation' }).click();
    const dialog = page.getByRole('alertdialog');
    await dialog.getByRole('button', { name: 'Cancel operation' }).click();
    await dialog.getByText('SIGN_IN_AGAIN').waitFor();
    await dialog.getByRole('link', { name: 'Sign in again' }).click();
    await authenticate('ada');
    await signedIn();
    expect(page.url()).toBe(path);
    await page.getByRole('button', { name: 'Cancel operation' }).click();
    await dialog.getByRole('button', { name: 'Cancel operation' }).click();
    await page.getByText('cancelled', { exact: true }).first().waitFor();
    const { body } = await adapter.call('GET', '/v1.0/audit?outcome=done&limit=1');
    expect(body.items[0]).toMatchObject({ action: 'cancel', tokenId: 'oidc:ada' });
  });

  test('signing out here signs out at the provider', async () => {
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Yes, sign me out' }).click();
    await page.getByRole('link', ONE_CLICK).click();
    // The provider no longer knows the person.
    await page.locator('input[name=login]').waitFor();
  });

  test('a person without a role is refused with the reason; a token still works', async () => {
    await authenticate('eve');
    await consent();
    await page.getByText('You have no role at this server').waitFor();
    await expectAccessible(page);
    await page.getByLabel('Token').fill(adapter.token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await signedIn();
    await visit(page, '/health', 'Health');
  });
});
