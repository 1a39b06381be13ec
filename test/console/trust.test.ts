/** Uptane in the console, in a real Chromium: both repositories, a ceremony step by step, a vehicle's ECUs, attacks. */
import { type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startAdapterDouble, startTestCarota } from '../carota/support/test-carota.js';
import {
  DirectorWorld,
  ecuOf,
  manifestOf,
  newEcus,
  type TestEcu,
} from '../carota/support/test-director.js';
import { takingTurns } from '../support/depth.js';
import { vinOf } from '../support/messages.js';
import { temporaryDirectory } from '../support/servers.js';
import { TestCeremony } from '../uptane/repository/support.js';
import { must } from '../uptane/support/must.js';
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

/** Of three servers, a quick run starts one or two. */
const isTurn = takingTurns(2);
/** For pages that axe examines along the way. */
const isExamined = takingTurns(6);
const DAY_MS = 24 * 60 * 60 * 1000;

describe.runIf(await hasChromium())('trust', () => {
  let adapter: Awaited<ReturnType<typeof startAdapterDouble>>;
  let browser: Browser;
  beforeAll(async () => {
    adapter = await startAdapterDouble();
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await adapter.stop();
  });

  /** Signs in as a viewer. */
  async function reader(carota: Awaited<ReturnType<typeof startTestCarota>>) {
    const opened = await open(browser, carota.carota.httpUrl);
    const body = { role: 'viewer', name: 'Vera' };
    const { token } = (await carota.call('POST', '/v1.0/tokens', { body })).body;
    await signIn(opened.page, token);
    return opened;
  }

  const region = (page: Page, name: string) => page.getByRole('region', { name, exact: true });
  const rowsOf = (page: Page, name: string) => region(page, name).locator('tbody tr');

  test.runIf(isTurn())(
    'keys that the server has created are called trial keys, and there is no ceremony',
    async () => {
      const carota = await startTestCarota(adapter.url);
      const { page, complaints } = await reader(carota);
      await visit(page, '/repositories', 'Repositories');
      const images = region(page, 'Image repository');
      await images.getByText('Trial keys.').waitFor();
      await images.getByText('Anyone who controls the server can publish anything.').waitFor();
      await region(page, 'Director repository').getByText('Trial keys.').waitFor();
      expect(await page.getByRole('heading', { name: 'Ceremony' }).count()).toBe(0);
      const roles = await rowsOf(page, 'Roles of the image repository')
        .locator('td:first-child')
        .allInnerTexts();
      expect(roles).toEqual(['root', 'timestamp', 'snapshot', 'targets']);
      const { body } = await carota.call('GET', '/v1.0/director-repository');
      const keys = region(page, 'Keys of the Director repository');
      for (const { id } of body.keys) await keys.getByText(id, { exact: true }).waitFor();
      expect(complaints).toEqual([]);
      await page.context().close();
      await carota.stop();
    },
  );

  test.runIf(isTurn())('a folder without a repository shows how to begin', async () => {
    const imageRepositoryDir = temporaryDirectory('no-repository');
    const carota = await startTestCarota(adapter.url, { imageRepositoryDir });
    const { page, complaints } = await reader(carota);
    await visit(page, '/repositories', 'Repositories');
    await page.getByText('There is no repository in the server’s folder yet.').waitFor();
    const first = page.locator('.ceremony li').first();
    await first.getByText('otaops repository init repo').waitFor();
    // The repository appears once it is created, without a reload.
    const ceremony = Object.assign(new TestCeremony(), {
      folder: imageRepositoryDir,
      now: new Date(),
    });
    await ceremony.established();
    await rowsOf(page, 'Roles of the image repository').first().waitFor();
    if (isExamined()) await expectAccessible(page);
    expect(complaints).toEqual([]);
    await page.context().close();
    await carota.stop();
  });

  describe.runIf(isTurn())('with offline keys', () => {
    const ceremony = new TestCeremony();
    let carota: Awaited<ReturnType<typeof startTestCarota>>;
    let page: Page;
    let complaints: string[];
    beforeAll(async () => {
      // Root was signed almost a year ago.
      ceremony.now = new Date(Date.now() - 355 * DAY_MS);
      await ceremony.established();
      ceremony.now = new Date();
      await ceremony.propose((state) => state, ['targets']);
      await ceremony.sign(ceremony.targets[0], ceremony.targets[1]);
      await ceremony.publish();
      carota = await startTestCarota(adapter.url, { imageRepositoryDir: ceremony.folder });
      ({ page, complaints } = await reader(carota));
    });
    afterAll(() => carota.stop());
    afterEach(() => {
      expect(complaints).toEqual([]);
    });

    const steps = () => page.locator('.ceremony li .status').allInnerTexts();
    const short = (id: string | undefined) => must(id).slice(0, 12);

    test('a role that expires within two weeks is shown at the top, and in its row', async () => {
      await visit(page, '/repositories', 'Repositories');
      const root = rowsOf(page, 'Roles of the image repository').filter({ hasText: 'root' });
      await root.getByText('expires soon').waitFor();
      await region(page, 'Image repository')
        .getByText(/^root version 1 expires on .* in \d+\.\d days$/)
        .waitFor();
      expect(await page.getByText('Trial keys.').count()).toBe(1);
      await page.getByText('People must sign snapshot and timestamp before they expire').waitFor();
    });

    test('the ceremony goes from proposal to publication, and the page follows each step', async () => {
      expect(await steps()).toEqual(['next', 'later', 'later', 'later']);
      await page.getByText('Nothing is proposed.').waitFor();
      // An image and a new root are proposed on another machine.
      await ceremony.addImage('brakes/fw.bin', 'brakes 2', 2);
      await ceremony.propose((state) => state, ['root']);
      await expect.poll(steps).toEqual(['done', 'next', 'next', 'later']);
      const proposed = region(page, 'Proposed roles');
      const targets = proposed.getByRole('row', { name: /^targets/ });
      await targets.getByText('0 of 2').waitFor();
      const difference = page.getByLabel('Difference of Proposed roles');
      const text = await difference.innerText();
      expect(text).toContain('  + brakes/fw.bin  8 bytes, release counter 2, hardware hw-a');
      expect(text).toMatch(/^root: version 1 → 2$/m);
      await page.getByText('waiting for 6 signatures').waitFor();
      if (isExamined()) await expectAccessible(page);
      // One signer of two.
      await ceremony.sign(ceremony.targets[0]);
      await targets.getByText('1 missing').waitFor();
      const done = targets.getByText(short(ceremony.targets[0]?.keyId));
      await done.waitFor();
      const note = page
        .locator('.ceremony')
        .getByText(/^targets: 1 signature missing by the keys of root; can sign: /);
      const names = [ceremony.targets[1], ceremony.targets[2]].map((key) => short(key?.keyId));
      for (const name of names) expect(await note.innerText()).toContain(name);
      expect(await note.innerText()).not.toContain(short(ceremony.targets[0]?.keyId));
      await ceremony.sign(ceremony.targets[1], ceremony.root[0], ceremony.root[1]);
      await expect.poll(steps).toEqual(['done', 'done', 'done', 'next']);
      await page.getByText('signed, waiting to be published').waitFor();
      await page.getByText('Every threshold is met.').waitFor();
      await ceremony.publish();
      await expect.poll(steps).toEqual(['next', 'later', 'later', 'later']);
      const root = rowsOf(page, 'Roles of the image repository').filter({ hasText: 'root' });
      await expect.poll(() => root.innerText()).toMatch(/root\s+2\s+valid/);
      await root.getByText('2 of 2 needed').waitFor();
    });

    test('a proposal that was changed after a signature, and one with faults, are shown as such', async () => {
      await ceremony.addImage('radio.bin', 'radio', 1);
      await ceremony.sign(ceremony.targets[0]);
      // Another person edits the file after the signature, without the command, which would drop the signature.
      const path = 'proposal/metadata/targets.json';
      const envelope = JSON.parse(Buffer.from(must(await ceremony.files.read(path))).toString());
      envelope.signed.targets['evil\u202e.bin'] = envelope.signed.targets['radio.bin'];
      envelope.signed.targets['radio.bin'].custom.match.hardwareIds = [];
      await ceremony.files.write(path, Buffer.from(JSON.stringify(envelope)));
      const proposed = region(page, 'Proposed roles');
      await proposed.getByText('changed after this signature').waitFor();
      await page.getByText('This cannot be signed:').waitFor();
      await page.getByText('targets, radio.bin: it has no hardware ids').waitFor();
      // Characters that reorder text are visible, and nothing can be signed.
      const difference = page.getByLabel('Difference of Proposed roles');
      expect(await difference.innerText()).toContain('+ evil\\u{202e}.bin');
      await expect.poll(steps).toEqual(['next', 'later', 'later', 'later']);
      await ceremony.repository.discard();
      await page.getByText('Nothing is proposed.').waitFor();
    });

    test('no page can sign, and none has a field for a key', async () => {
      expect(await page.locator('main').locator('input, textarea, select, form').count()).toBe(0);
      expect(await page.locator('main').getByRole('button').count()).toBe(0);
    });

    test.each(VIEWS)('axe finds no violation, and nothing jumps: %o', async (view) => {
      await ceremony.addImage('more.bin', 'more', 1);
      const server = { httpUrl: carota.carota.httpUrl, token: carota.token };
      await expectGoodPages(browser, server, view, [
        { path: '/repositories', heading: 'Repositories' },
      ]);
    });
  });

  describe.runIf(isTurn())('the page of a vehicle', () => {
    const vin = vinOf(1, 'CST');
    const other = vinOf(2, 'CST');
    let world: DirectorWorld;
    let ecus: TestEcu[];
    let page: Page;
    let complaints: string[];
    beforeAll(async () => {
      world = await DirectorWorld.start();
      ecus = newEcus();
      await world.vehicle(vin, ecus);
      await world.vehicle(other, newEcus());
      ({ page, complaints } = await reader(world.carota));
    });
    afterAll(() => world.stop());
    afterEach(() => {
      expect(complaints).toEqual([]);
    });

    test('shows the serial number, hardware, key and role of each ECU', async () => {
      await visit(page, `/vehicles/${vin}`, vin);
      const rows = rowsOf(page, 'ECUs');
      const texts = await rows.allInnerTexts();
      expect(texts).toEqual([
        expect.stringMatching(/OTA-MANAGER\s+Primary\s+P-1\s+hw-primary\s/),
        expect.stringMatching(/HU\s+Secondary\s+H-1\s+hw-hu\s/),
        expect.stringMatching(/TCU\s+Secondary\s+T-1\s+hw-tcu\s/),
      ]);
      for (const [place, { key }] of ecus.entries()) {
        expect(texts[place]).toContain(key.id.slice(0, 12));
      }
      await page.getByText('No update due').waitFor();
      await page.getByText('the vehicle has not contacted the Director').waitFor();
      await page.getByText('No attack reports.').waitFor();
    });

    test('shows an order, its files, a report and the comparison of both without a reload', async () => {
      await world.publish({ scriptRefId: 'hu only 001', images: { HU: 'software 1' } });
      const refId = await world.schedule('hu only 001', [vin]);
      await page.getByRole('link', { name: refId }).first().waitFor();
      await world.cycle(vin);
      await expect.poll(() => rowsOf(page, 'Signed for this vehicle').count()).toBe(3);
      const hu = rowsOf(page, 'ECUs').filter({ hasText: 'H-1' });
      await hu.getByText(/^artifacts\/[0-9a-f]{64}$/).waitFor();
      await hu.getByText('not reported').waitFor();
      const { body } = await world.carota.call('GET', `/v1.0/vehicles/${vin}/ecus`);
      const ordered = body.ecus.find(({ serial }: any) => serial === 'H-1').ordered;
      const manifest = manifestOf(vin, ecus, { reports: { 'H-1': { installed: ordered } } });
      expect((await world.send(vin, manifest)).status).toBe(204);
      await hu.getByText('as ordered').waitFor();
      await hu
        .getByText(/release counter 1/)
        .nth(1)
        .waitFor();
      if (isExamined()) await expectAccessible(page);
      await page.getByRole('button', { name: 'Show as received' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText('"_type": "manifest"').waitFor();
      expect(await dialog.innerText()).toContain('"ecu": "T-1"');
      if (isExamined()) await expectAccessible(page);
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
    });

    test('shows why an order cannot be given', async () => {
      await world.vehicle(other, [ecuOf(newEcus(), 'P-1')]);
      await world.schedule('hu only 001', [other]);
      const second = await page.context().newPage();
      await visit(second, `/vehicles/${other}`, other);
      await second.getByText('Not ordered: the vehicle has no ECU HU').waitFor();
      await second.close();
    });

    test('shows a refused manifest with its reason and ECU', async () => {
      const lie = manifestOf(vin, ecus, { keys: { 'H-1': ecuOf(ecus, 'P-1').key } });
      expect((await world.send(vin, lie)).status).toBe(400);
      const card = region(page, 'Manifest');
      await card.getByText('Signed by a key other than the registered one: ECU H-1').waitFor();
    });

    test('shows an attack that an ECU reports, as do the list and the audit log', async () => {
      const report = { attack: 'rollback', reason: 'timestamp version 3 is older than 5' };
      const send = () => world.send(vin, manifestOf(vin, ecus, { reports: { 'T-1': report } }));
      expect((await send()).status).toBe(204);
      const mine = rowsOf(page, 'Attack reports');
      await mine.getByText('Rollback').waitFor();
      await mine.getByText('timestamp version 3 is older than 5').waitFor();
      await page.getByRole('link', { name: 'Attacks' }).click();
      await page.getByRole('heading', { level: 1, name: 'Attacks' }).waitFor();
      const list = rowsOf(page, 'Attack reports');
      await expect
        .poll(() => list.first().innerText())
        .toMatch(new RegExp(`${vin}\\s+T-1\\s+Rollback`));
      // A repetition is counted while the page is open.
      expect((await send()).status).toBe(204);
      await expect.poll(() => list.first().locator('.number').innerText()).toBe('2');
      await page.getByLabel('VIN is').fill(other);
      await page.getByText('No attack reports.').waitFor();
      await page.getByLabel('VIN is').fill(vin.toLowerCase());
      await list.getByRole('link', { name: vin }).waitFor();
      expect(page.url()).toContain(`vin=${vin}`);
      await page.getByRole('link', { name: 'Audit log' }).click();
      const audit = rowsOf(page, 'Audit log');
      await expect.poll(() => audit.first().innerText()).toMatch(/ECU T-1\s+Attack reported/);
      await audit.getByText('ECUs registered').first().waitFor();
    });

    test.each(VIEWS)('axe finds no violation, and nothing jumps: %o', (view) =>
      expectGoodPages(
        browser,
        { httpUrl: world.carota.carota.httpUrl, token: world.carota.token },
        view,
        [
          { path: `/vehicles/${vin}`, heading: vin },
          { path: '/repositories', heading: 'Repositories' },
          { path: '/attacks', heading: 'Attacks' },
          { path: '/audit', heading: 'Audit log' },
        ],
      ),
    );
  });
});
