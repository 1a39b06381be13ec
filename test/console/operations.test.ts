/** The operator's console in a real Chromium, with an adapter and a simulated fleet behind it. */
import { type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Fleet, fleetOf, registrationLine } from '../../src/fleet/index.js';
import { type Operation } from '../../src/contract/adapter-api/index.js';
import { newDeviceMessageId } from '../../src/contract/index.js';
import { eventually, startTestAdapter, type TestAdapter } from '../support/adapter.js';
import { byDepth, takingTurns } from '../support/depth.js';
import { eventBytes, vehicleOf } from '../support/messages.js';
import { connectVehicle } from '../support/mqtt-vehicle.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import {
  expectAccessible,
  expectLoaded,
  figureOf,
  hasChromium,
  open,
  signIn,
  startBrowser,
  visit,
} from './support/browser.js';

const REF_ID = 'schedule 07/“a”';
/** For tests that no later one depends on. */
const isTurn = takingTurns(3);
/** For pages that axe examines along the way. */
const isExamined = takingTurns(6);
interface Screen {
  /** Place of the row that has the keyboard focus; -1 if it is not shown. */
  readonly active: number;
  readonly isLoading: boolean;
  /** Place and first three cells. */
  readonly rows: readonly (readonly [number, string])[];
}
/** What the grid shows at one moment; at the next one, other rows may have taken their places. */
const SCREEN = `(() => {
  const placeOf = (row) => Number(row?.getAttribute('aria-rowindex') ?? 1) - 2;
  const textOf = (row) =>
    [...row.querySelectorAll('[role=gridcell]')].slice(0, 3).map((cell) => cell.innerText.trim()).join('|');
  const grid = document.querySelector('[role=grid]');
  return {
    active: placeOf(grid.querySelector('.active')),
    isLoading: grid.querySelector('.waiting') !== null,
    rows: [...grid.querySelectorAll('[role=row]')]
      .map((row) => [placeOf(row), textOf(row)])
      .filter(([place]) => place >= 0),
  };
})()`;
/** More than the table shows at once. */
const VEHICLES = byDepth({ quick: 60, full: 120 });
const fleetVehicles = fleetOf(VEHICLES);

describe.runIf(await hasChromium())('operations', () => {
  let t: TestAdapter;
  let fleet: Fleet;
  let proxy: TcpProxy;
  let browser: Browser;
  let page: Page;
  let complaints: string[];
  let address: string;

  beforeAll(async () => {
    t = await startTestAdapter({
      retry: { firstPauseMs: 1_000, longestPauseMs: 1_000, maxSends: 30 },
    });
    await t.call('POST', '/v1.0/vehicles/import', {
      headers: { 'content-type': 'application/x-ndjson' },
      body: fleetVehicles.map(registrationLine).join('\n'),
    });
    fleet = new Fleet({
      vehicles: fleetVehicles,
      mqttUrl: t.adapter.mqttUrl,
      seed: 11,
      speed: byDepth({ quick: 300, full: 120 }),
    });
    fleet.start();
    browser = await startBrowser();
    address = `/operations/${encodeURIComponent(REF_ID)}`;
    proxy = await TcpProxy.to(Number(new URL(t.adapter.httpUrl).port));
    ({ page, complaints } = await open(browser, `http://127.0.0.1:${proxy.port}`));
  });
  afterAll(async () => {
    await browser.close();
    await proxy.close();
    await fleet.stop();
    await t.stop();
  });
  afterEach(() => {
    expect(complaints).toEqual([]);
  });

  const operation = async (refId = REF_ID): Promise<Operation> =>
    (await t.call('GET', `/v1.0/ota/operations/${encodeURIComponent(refId)}`)).body;
  const act = async (button: string, confirm = button) => {
    await page.getByRole('button', { name: button, exact: true }).click();
    const dialog = page.getByRole('alertdialog');
    const text = await dialog.innerText();
    await dialog.getByLabel('Reason, for the audit log').fill(`because of ${button}`);
    await dialog.getByRole('button', { name: confirm, exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
    return text;
  };

  test('people sign in with a token that scripts cannot read', async () => {
    await page.getByLabel('Token').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('the token is invalid, has expired or was revoked').waitFor();
    if (isExamined()) await expectAccessible(page);
    await signIn(page, t.token);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    expect(await page.context().cookies()).toEqual([]);
    await signIn(page, t.token);
    await page.getByText('No operations yet.').waitFor();
    expect(await page.evaluate('document.cookie')).toBe('');
    const cookies = await page.context().cookies();
    expect(cookies).toMatchObject([{ name: 'otaops_adapter', httpOnly: true, sameSite: 'Strict' }]);
  });

  test('a new operation appears in the list, and is shown until it has finished', async () => {
    await t.trigger(
      REF_ID,
      fleetVehicles.map(({ vin }) => vin),
    );
    await page.getByRole('link', { name: REF_ID }).click();
    await page.getByRole('heading', { level: 1, name: REF_ID }).waitFor();
    await page.getByText('finished', { exact: true }).waitFor({ timeout: 120_000 });
    const { finished, succeeded, failed, open: rest, vehicles, states, status } = await operation();
    expect(rest).toBe(0);
    // The interface uses the same word as the console.
    expect(status).toBe('finished');
    for (const [label, value] of Object.entries({
      Vehicles: vehicles,
      Finished: finished,
      Succeeded: succeeded,
      Failed: failed,
      Open: rest,
    })) {
      await expect.poll(() => figureOf(page, label)).toBe(value);
    }
    await expectLoaded(page);
    for (const [state, n] of Object.entries(states)) {
      const row = page
        .getByRole('region', { name: 'Vehicles by state' })
        .getByRole('row', { name: new RegExp(`^${state} `) });
      await expect.poll(() => row.getByRole('cell').nth(1).innerText()).toBe(String(n));
    }
    // The funnel lags a little, but catches up.
    const last = page.locator('.funnel li').last();
    await expect.poll(() => last.innerText(), { timeout: 120_000 }).toContain(String(succeeded));
    await expect.poll(() => page.locator('.plot canvas').count()).toBe(2);
    await page.getByText('All vehicles have finished.').waitFor();
    const { body: summary } = await t.call(
      'GET',
      `/v1.0/ota/operations/${encodeURIComponent(REF_ID)}/summary`,
    );
    const cellsOf = async (region: string) => {
      const rows = await page.getByRole('region', { name: region }).locator('tbody tr').all();
      return Promise.all(rows.map((row) => row.getByRole('cell').allInnerTexts()));
    };
    const phases = summary.phases as { phase: string; vehicles: number }[];
    expect((await cellsOf('Duration of each phase')).map(([name, n]) => `${name} ${n}`)).toEqual(
      phases.map(({ phase, vehicles: n }) => `${phase} ${n}`),
    );
    const reasons = summary.failureReasons as { reason: string; state: string; vehicles: number }[];
    expect((await cellsOf('Why vehicles failed')).map((cells) => cells.join('|'))).toEqual(
      reasons.map(({ reason, state, vehicles: n }) => `${reason}|${state}|${n}`),
    );
    // A reason leads to its vehicles.
    const [first] = reasons;
    await page.getByRole('link', { name: first?.reason ?? '', exact: true }).click();
    await page.getByText(`${first?.vehicles} of ${VEHICLES} vehicles`).waitFor();
    const search = new URL(page.url()).searchParams;
    expect([search.get('state'), search.get('reason')]).toEqual([first?.state, first?.reason]);
    const shown = page.locator('.grid-row .state');
    await expect.poll(() => shown.count()).toBe(first?.vehicles);
  });

  test.runIf(isTurn())('the table shows the rows of the interface, filtered or not', async () => {
    const read = async (query: string) =>
      (
        await t.call(
          'GET',
          `/v1.0/ota/operations/${encodeURIComponent(REF_ID)}/vehicles?limit=1000${query}`,
        )
      ).body.items as { vin: string; state: string; reason: string | null }[];
    const rows = async () => {
      const seen = new Map<number, string>();
      const grid = page.getByRole('grid', { name: 'Vehicles' });
      await grid.focus();
      await page.keyboard.press('Home');
      const all = Number(await grid.getAttribute('aria-rowcount')) - 1;
      for (let last = -1; seen.size < all;) {
        const screen = await eventually(
          () => page.evaluate<Screen>(SCREEN),
          ({ active, isLoading }) => !isLoading && (last < 0 ? active === 0 : active > last),
        );
        for (const [place, text] of screen.rows) seen.set(place, text);
        last = screen.active;
        await page.keyboard.press('PageDown');
      }
      return [...seen].sort(([a], [b]) => a - b).map(([, text]) => text);
    };
    const asRows = (items: Awaited<ReturnType<typeof read>>) =>
      items.map(({ vin, state, reason }) => `${vin}|${state}|${reason ?? ''}`);

    await visit(page, `${address}/vehicles`, /Vehicles of/);
    expect(await rows()).toEqual(asRows(await read('')));
    // The row that has the keyboard focus is visible, at both ends.
    const grid = page.getByRole('grid', { name: 'Vehicles' });
    for (const [key, place] of [
      ['End', VEHICLES - 1],
      ['Home', 0],
    ] as const) {
      await page.keyboard.press(key);
      const row = grid.locator('.active');
      await expect.poll(() => row.getAttribute('aria-rowindex')).toBe(String(place + 2));
      const [inner, outer] = [await row.boundingBox(), await grid.boundingBox()];
      expect(inner?.y).toBeGreaterThanOrEqual((outer?.y ?? 0) + 32);
      expect((inner?.y ?? 0) + 32).toBeLessThanOrEqual((outer?.y ?? 0) + (outer?.height ?? 0) + 1);
    }
    await page.getByLabel('State').selectOption('success');
    await page.getByText(new RegExp(`^\\d+ of ${VEHICLES} vehicles$`)).waitFor();
    expect(new URL(page.url()).search).toBe('?state=success');
    expect(await rows()).toEqual(asRows(await read('&state=success')));
    await page.getByLabel('State').selectOption('');
    // Users may pause while typing, and continue.
    await page.getByLabel('VIN or reason contains').focus();
    await page.keyboard.type('dir');
    await expect.poll(() => new URL(page.url()).search).toBe('?text=dir');
    await page.keyboard.type('ector');
    await expect.poll(() => new URL(page.url()).search).toBe('?text=director');
    expect(await rows()).toEqual(asRows(await read('&text=director')));
    await page.getByLabel('VIN or reason contains').fill('nothing has this');
    await page.getByText('No vehicle matches.').waitFor();
  });

  test.runIf(isTurn())('a failed vehicle is found, with the reason', async () => {
    await visit(page, `${address}/vehicles?state=pki_check_fail`, /Vehicles of/);
    await page.getByRole('grid', { name: 'Vehicles' }).focus();
    await page.locator('[role=gridcell] a').first().waitFor();
    await page.keyboard.press('Enter');
    const vin = decodeURIComponent(new URL(page.url()).pathname.split('/').at(-1) ?? '');
    await page.getByRole('heading', { level: 1, name: vin }).waitFor();
    const timeline = page.getByRole('region', { name: `Timeline of ${REF_ID}` });
    await timeline
      .getByText('the Director orders another image than the script installs')
      .waitFor();
    const { body } = await t.call(
      'GET',
      `/v1.0/ota/operations/${encodeURIComponent(REF_ID)}/vehicles/${vin}/timeline`,
    );
    await expect.poll(() => timeline.locator('tbody tr').count()).toBe(body.items.length);
    // Both clocks, in the reader's time zone; hovering shows UTC.
    const failed = timeline.locator('tbody tr').last();
    const times = await failed.locator('time').all();
    expect(times.length).toBeGreaterThanOrEqual(2);
    const title = await times[0]?.getAttribute('title');
    expect(title).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC$/);
    await failed.getByRole('button', { name: 'Raw' }).click();
    await page.getByRole('dialog').getByText('"status": 12').waitFor();
    await page.keyboard.press('Escape');
    // The start of its VIN finds it too.
    await visit(page, '/vehicles', 'Vehicles');
    await page.getByLabel('VIN starts with').fill(vin.slice(0, 15).toLowerCase());
    await page.getByRole('link', { name: vin }).first().waitFor();
    await expect.poll(() => new URL(page.url()).search).toBe(`?vin=${vin.slice(0, 15)}`);
  });

  test.runIf(isTurn())(
    'actions show how many vehicles they will affect, and are in the audit log',
    async () => {
      const waiting = [1, 2, 3].map((n) => vehicleOf(n, 'CSW'));
      await t.register(...waiting);
      // Offline vehicles: their triggers are sent and not acknowledged.
      await t.trigger(
        'held back',
        waiting.map(({ vin }) => vin),
      );
      await eventually(
        () => operation('held back'),
        ({ states }) => states.sent === 3,
      );
      await visit(page, '/operations/held%20back', 'held back');
      expect(await act('Pause')).toContain('3 vehicles without an acknowledgement');
      await page.getByText('paused', { exact: true }).waitFor();
      expect((await operation('held back')).status).toBe('paused');
      expect(await act('Resume')).toContain('No triggers are queued.');
      await page.getByText('active', { exact: true }).waitFor();

      await page.getByRole('button', { name: 'Rate and priority' }).click();
      const dialog = page.getByRole('alertdialog');
      await dialog.getByLabel('Priority, −10 to 10').fill('4');
      await dialog.getByLabel('Sending rate').selectOption('limited');
      await dialog.getByLabel('Triggers per second').fill('0.5');
      await dialog.getByText('Current effective rate: 0.5/s.').waitFor();
      await dialog.getByRole('button', { name: 'Save changes' }).click();
      await dialog.waitFor({ state: 'detached' });
      await page.getByText(/Priority 4, 0\.5 triggers per second/).waitFor();
      expect(await operation('held back')).toMatchObject({ priority: 4, rate: { perSecond: 0.5 } });

      expect(await act('Retrigger')).toContain('3 vehicles get a new trigger');
      await eventually(
        () => operation('held back'),
        ({ states }) => (states.pending ?? 0) > 0,
      );
      await page.getByRole('button', { name: 'Cancel operation' }).click();
      await dialog.getByRole('button', { name: 'Keep running' }).click();
      await dialog.waitFor({ state: 'detached' });
      const cancel = await act('Cancel operation');
      expect(cancel).toMatch(/\d vehicles? will never get a trigger/);
      await page.getByText('cancelled', { exact: true }).first().waitFor();
      await expect.poll(() => page.getByRole('button', { name: 'Pause' }).count()).toBe(0);
      const log = page.getByRole('region', { name: 'Audit log of this operation' });
      for (const button of ['Pause', 'Resume', 'Retrigger', 'Cancel operation']) {
        await log.getByText(`because of ${button}`).waitFor();
      }
      if (isExamined()) await expectAccessible(page);
    },
  );

  test.runIf(isTurn())(
    'a number is validated while typing: no typing error lifts a limit',
    async () => {
      const absent = vehicleOf(8, 'CSW');
      await t.register(absent);
      await t.trigger('limited', [absent.vin]);
      const rate = { perSecond: 7, factor: 2, after: 10, of: 'notified', atMost: 50 };
      await t.call('PATCH', '/v1.0/ota/operations/limited', { body: { rate } });
      await visit(page, '/operations/limited', 'limited');
      await page.getByRole('button', { name: 'Rate and priority' }).click();
      const dialog = page.getByRole('alertdialog');
      const save = dialog.getByRole('button', { name: 'Save changes' });
      const perSecond = dialog.getByLabel('Triggers per second');
      for (const [typed, fault] of [
        ['5e', 'Not a number.'],
        ['5OO', 'Not a number.'],
        ['0x10', 'Not a number.'],
        ['1,000', 'Not a number.'],
        ['', 'Enter a number.'],
        ['0', 'Must be above 0.'],
        ['1000001', 'Must be 1000000 or less.'],
      ] as const) {
        await perSecond.fill('');
        await perSecond.pressSequentially(typed);
        await dialog.getByText(fault).waitFor();
        // The typed text stays, so that it can be corrected.
        expect(await perSecond.inputValue()).toBe(typed);
        expect(await perSecond.getAttribute('aria-invalid')).toBe('true');
        expect(await save.isDisabled(), typed).toBe(true);
      }
      expect(await perSecond.getAttribute('inputmode')).toBe('decimal');
      await perSecond.fill('12.5');
      // A rate grows by a factor and a number of vehicles, or not at all.
      await dialog.getByLabel('Vehicles per step').fill('');
      await dialog.getByText('Enter a number.').waitFor();
      expect(await save.isDisabled()).toBe(true);
      await dialog.getByLabel('Vehicles per step').fill('10');
      await save.click();
      await dialog.waitFor({ state: 'detached' });
      expect((await operation('limited')).rate).toEqual({ ...rate, perSecond: 12.5 });
      // Only an explicit choice lifts a limit.
      await page.getByRole('button', { name: 'Rate and priority' }).click();
      await dialog.getByLabel('Sending rate').selectOption('no limit');
      await dialog.getByText('No rate limit for this operation.').waitFor();
      await save.click();
      await dialog.waitFor({ state: 'detached' });
      expect((await operation('limited')).rate).toBeNull();
    },
  );

  test('changes appear at once, also after a lost connection', async () => {
    const vehicle = vehicleOf(9, 'CSW');
    await t.register(vehicle);
    await t.trigger('live', [vehicle.vin]);
    const link = await connectVehicle(t.adapter.mqttUrl, vehicle);
    await link.receive();
    const report = (
      status: 'downloading' | 'failure' | 'success',
      timestamp: number,
      meta: { key: string; value: string }[] = [],
    ) =>
      link.send(
        eventBytes(vehicle, {
          messageId: newDeviceMessageId(),
          correlationId: '',
          refId: 'live',
          status,
          timestamp,
          meta,
        }),
      );
    const now = Math.floor(Date.now() / 1000);
    await visit(page, '/operations/live', 'live');
    await page.getByText('Live', { exact: true }).waitFor();
    const states = page.getByRole('region', { name: 'Vehicles by state' });
    await report('downloading', now, [{ key: 'progress', value: '40' }]);
    await states.getByText('downloading').waitFor();

    // Changes do not appear while the connection is lost, and the notice moves nothing on the page.
    const shiftBefore = await page.evaluate<number>('window.layoutShift()');
    const heading = page.getByRole('heading', { level: 1 });
    const placeBefore = await heading.boundingBox();
    proxy.break();
    await page.getByText(/Connection lost/).waitFor();
    expect(await heading.boundingBox()).toEqual(placeBefore);
    expect(await page.evaluate<number>('window.layoutShift()')).toBe(shiftBefore);
    // Only the server can take the cookie back.
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are still signed in').waitFor();
    await report('failure', now + 1);
    await expect.poll(() => states.getByText('downloading').count()).toBe(1);
    proxy.mend();
    await states.getByText('failure').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    expect((await operation('live')).states).toEqual({ failure: 1 });

    // The page of a vehicle too: its progress, installed versions, a new attempt.
    await visit(page, `/vehicles/${vehicle.vin}`, vehicle.vin);
    const timeline = page.getByRole('region', { name: 'Timeline of live' });
    await timeline.getByText('40 %').waitFor();
    expect(await timeline.getByLabel('progress').getAttribute('value')).toBe('40');
    await page.getByText('Installed versions unknown until the vehicle reports them.').waitFor();
    await report('success', now + 2, [{ key: 'version:HU', value: '1.4.0' }]);
    const installed = page.getByRole('region', { name: 'Installed versions' });
    await installed.getByText('1.4.0').waitFor();
    expect(await act('Retrigger')).toContain('1 vehicle gets a new trigger: attempt 2.');
    await timeline.getByText('because of Retrigger').waitFor();
    const { body } = await t.call('GET', `/v1.0/ota/operations/live/vehicles/${vehicle.vin}`);
    expect(body.attempt).toBe(2);
    await link.end();
  });
});
