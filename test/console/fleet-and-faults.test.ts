/** Registry, dead letters, health and roles; and the accessibility of every page of the adapter. */
import { type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DEAD_LETTER_MEANINGS, newDeviceMessageId } from '../../src/contract/index.js';
import {
  credentialOf,
  eventually,
  startTestAdapter,
  type TestAdapter,
} from '../support/adapter.js';
import { takingTurns } from '../support/depth.js';
import { eventBytes, vehicleOf, vinOf } from '../support/messages.js';
import { connectVehicle } from '../support/mqtt-vehicle.js';
import {
  expectAccessible,
  expectGoodPages,
  expectNoJump,
  expectNoOverflow,
  figureOf,
  hasChromium,
  LIGHT,
  open,
  type PageAt,
  signIn,
  startBrowser,
  VIEWS,
  visit,
} from './support/browser.js';

/** For tests that no later one depends on. */
const isTurn = takingTurns(3);
/** For pages that axe examines along the way. */
const isExamined = takingTurns(6);
const [vehicle = vehicleOf(1, 'CSF'), stranger = vehicleOf(2, 'CSF')] = [1, 2].map((n) =>
  vehicleOf(n, 'CSF'),
);

describe.runIf(await hasChromium())('fleet and faults', () => {
  let t: TestAdapter;
  let browser: Browser;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    t = await startTestAdapter();
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

  const line = (vin: string, systemId: string) =>
    `${vin},${systemId},device1234,TCU,vehicle model a,${credentialOf(vin)}`;

  test('a file is imported; invalid lines are rejected with their numbers', async () => {
    await visit(page, '/registry', 'Registry');
    await page.getByText('No vehicles are registered.').waitFor();
    const lines = [
      'vin,system_id,device_id,ecu_type,model,credential',
      line(vehicle.vin, vehicle.systemId),
      line('NOTAVIN', 'c2c-sys-x'),
      line(vinOf(3, 'CSF'), 'c2c-sys-3'),
      line(vinOf(4, 'CSF'), ''),
    ];
    const file = { name: 'fleet.csv', mimeType: 'text/csv', buffer: Buffer.from(lines.join('\n')) };
    await page.getByLabel('Drop a CSV or NDJSON of vehicles here').setInputFiles(file);
    await page.getByText('2 new, 0 changed, 2 lines rejected').waitFor();
    const faults = page.getByRole('region', { name: 'Rejected lines of fleet.csv' });
    const numbers = await faults.locator('tbody td:nth-child(2)').allInnerTexts();
    expect(numbers).toEqual(['3', '5']);
    await page.getByRole('link', { name: vehicle.vin }).waitFor();
    const { body } = await t.call('GET', '/v1.0/vehicles');
    expect(body.items).toHaveLength(2);
    // The same file again, dropped instead of chosen, changes two.
    const data = await page.evaluateHandle(
      `(() => { const data = new DataTransfer();
        data.items.add(new File([${JSON.stringify(lines.join('\n'))}], 'again.csv'));
        return data; })()`,
    );
    await page.locator('.drop').dispatchEvent('drop', { dataTransfer: data });
    await page.getByText('0 new, 2 changed, 2 lines rejected').waitFor();
    if (isExamined()) await expectAccessible(page);
  });

  test('a dead letter shows its reason, and is applied once the cause is fixed', async () => {
    await t.trigger('faults', [vehicle.vin]);
    const link = await connectVehicle(t.adapter.mqttUrl, vehicle);
    await link.receive();
    await link.send(
      eventBytes(vehicle, {
        messageId: newDeviceMessageId(),
        correlationId: '',
        refId: 'later',
        status: 'received',
        timestamp: Math.floor(Date.now() / 1000),
      }),
    );
    await link.end();
    await visit(page, '/dead-letters', 'Dead letters');
    const table = page.getByRole('region', { name: 'Dead letters' });
    const row = table.getByRole('row', { name: new RegExp(vehicle.vin) });
    await row.waitFor();
    const { body } = await t.call('GET', '/v1.0/dead-letters');
    const [letter] = body.items;
    await row.getByText(letter.reason).waitFor();
    await row.getByRole('button', { name: / B$/ }).click();
    await page.getByRole('dialog').getByText('"ref-id": "later"').waitFor();
    await page
      .getByRole('dialog')
      .getByText(DEAD_LETTER_MEANINGS.UNKNOWN_OPERATION.remedy)
      .waitFor();
    if (isExamined()) await expectAccessible(page);
    await page.keyboard.press('Escape');
    const replay = async (outcome: string) => {
      await row.getByRole('button', { name: 'Replay' }).click();
      const dialog = page.getByRole('alertdialog');
      await dialog.getByText('1 message is processed').waitFor();
      await dialog.getByRole('button', { name: 'Replay' }).click();
      await page.getByText(outcome).waitFor();
    };
    await replay(`The message was refused: ${letter.reason}`);
    await t.trigger('later', [vehicle.vin]);
    await replay('The message was applied.');
    await page.getByLabel('Reason').selectOption('UNKNOWN_OPERATION');
    await row.waitFor();
    await page.getByLabel('Reason').selectOption('EXPIRED');
    await page.getByText('No dead letters').waitFor();
    await page.getByLabel('Reason').selectOption('');
    await row.waitFor();
    await page.getByLabel('Replayed').selectOption('false');
    await page.getByText('No dead letters').waitFor();
    // A replay of all that match: one that is not a message is refused again.
    const other = await connectVehicle(t.adapter.mqttUrl, vehicle);
    await other.send(Buffer.from('no message'));
    await other.end();
    await table.locator('tbody tr').first().waitFor();
    await page.getByRole('button', { name: 'Replay all that match' }).click();
    const dialog = page.getByRole('alertdialog');
    await dialog.getByText('Up to 1,000 messages').waitFor();
    await dialog.getByRole('button', { name: 'Replay all that match' }).click();
    await page.getByText('0 messages applied, 0 processed before, 1 refused again.').waitFor();
    await eventually(
      () => t.call('GET', '/v1.0/ota/operations/later'),
      ({ body: operation }) => operation.states.received === 1,
    );
  });

  test.runIf(isTurn())('the health page shows the numbers of the interface', async () => {
    await visit(page, '/health', 'Health');
    const { body } = await t.call('GET', '/v1.0/health');
    const { received, applied, deadLetters } = body.messages;
    expect(received).toBeGreaterThan(0);
    await expect.poll(() => figureOf(page, 'Received')).toBe(received);
    await expect.poll(() => figureOf(page, 'Applied')).toBe(applied);
    await expect.poll(() => figureOf(page, 'Dead letters')).toBe(deadLetters);
    await page.getByRole('region', { name: 'Adapters', exact: true }).getByText('alive').waitFor();
    await page.getByText('connected', { exact: true }).waitFor();
  });

  test.runIf(isTurn())(
    'a viewer is neither offered nor allowed actions without permission',
    async () => {
      const viewer = await t.tokenFor('viewer');
      const { page: his, complaints: faults } = await open(browser, t.adapter.httpUrl);
      await signIn(his, viewer);
      await visit(his, '/operations/faults', 'faults');
      await his.getByText('Why vehicles failed').waitFor();
      for (const name of ['Pause', 'Cancel operation', 'Retrigger', 'Rate and priority']) {
        expect(await his.getByRole('button', { name }).count(), name).toBe(0);
      }
      await visit(his, '/registry', 'Registry');
      expect(await his.getByText('Import', { exact: true }).count()).toBe(0);
      const status = await his.evaluate(`fetch('/v1.0/ota/operations/faults/cancel', {
      method: 'POST', headers: { 'x-otaops-console': '1' } }).then(({ status }) => status)`);
      expect(status).toBe(403);
      expect(faults).toEqual([]);
      // Revoking the token ends the display, although the page requests nothing.
      const { body } = await t.call('GET', '/v1.0/tokens');
      const { id } = body.items.find(({ role }: { role: string }) => role === 'viewer');
      await t.call('DELETE', `/v1.0/tokens/${id}`);
      await his.getByRole('button', { name: 'Sign in' }).waitFor();
      await his.context().close();
    },
  );

  const PAGES: readonly PageAt[] = [
    { path: '/operations', heading: 'Operations' },
    { path: '/operations/faults', heading: 'faults' },
    { path: '/operations/faults/vehicles', heading: /Vehicles of/ },
    { path: '/operations/nothing', heading: 'nothing' },
    { path: `/vehicles?vin=${vehicle.vin.slice(0, 6)}`, heading: 'Vehicles' },
    { path: `/vehicles/${vehicle.vin}`, heading: vehicle.vin },
    { path: `/vehicles/${stranger.vin}`, heading: stranger.vin },
    { path: '/registry', heading: 'Registry' },
    { path: '/dead-letters', heading: 'Dead letters' },
    { path: '/health', heading: 'Health' },
    { path: '/audit', heading: 'Audit log' },
    { path: '/nowhere', heading: 'Page not found' },
  ];
  test.each(VIEWS)('axe finds no violation on any page, and nothing jumps: %o', (view) =>
    expectGoodPages(browser, { httpUrl: t.adapter.httpUrl, token: t.token }, view, PAGES),
  );

  test('an accessibility violation, an overflow and a jump would be detected', async () => {
    const opened = await open(browser, t.adapter.httpUrl, LIGHT);
    await signIn(opened.page, t.token);
    await visit(opened.page, '/operations', 'Operations');
    await opened.page.evaluate(`(() => {
      const wide = document.createElement('button');
      Object.assign(wide.style, { display: 'block', width: '3000px', height: '400px' });
      document.querySelector('main').prepend(wide);
    })()`);
    await expect(expectAccessible(opened.page)).rejects.toThrow('button-name');
    await expect(expectNoOverflow(opened.page)).rejects.toThrow();
    await expect(expectNoJump(opened.page)).rejects.toThrow();
    await opened.page.context().close();
  });

  test.runIf(isTurn())('the monitoring pages are readable on a phone', async () => {
    const phone = { width: 390, height: 844, colorScheme: 'dark' } as const;
    const opened = await open(browser, t.adapter.httpUrl, phone);
    await signIn(opened.page, t.token);
    // The list, an operation, its table, and a vehicle.
    for (const place of [0, 2, 5, 1]) {
      const { path = '', heading = '' } = PAGES[place] ?? {};
      await visit(opened.page, path, heading);
      await expectNoOverflow(opened.page);
    }
    await expectAccessible(opened.page);
    await opened.page.context().close();
  });

  test.runIf(isTurn())(
    'everything can be reached with the keyboard, dialogs included',
    async () => {
      await visit(page, '/operations/faults', 'faults');
      const focused = () => page.evaluate<string>('document.activeElement.textContent.trim()');
      const tabTo = async (text: string) => {
        for (let presses = 0; presses < 40; presses++) {
          await page.keyboard.press('Tab');
          if ((await focused()) === text) return;
        }
        throw new Error(`no way to ${text} by Tab`);
      };
      await tabTo('Pause');
      await page.keyboard.press('Enter');
      await page.getByRole('alertdialog').waitFor();
      // The focus stays in the dialog, and returns from it.
      await tabTo('Keep as is');
      await page.keyboard.press('Enter');
      await page.getByRole('alertdialog').waitFor({ state: 'detached' });
      await expect.poll(focused).toBe('Pause');
      expect((await t.call('GET', '/v1.0/ota/operations/faults')).body.status).toBe('active');
    },
  );
});
