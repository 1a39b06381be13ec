/** Planning in a real Chromium: artifact, update script, schedule, approval by a second person, waves and guard. */
import { readFileSync } from 'node:fs';
import { type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { verifyDossier } from '../../src/carota/dossier/index.js';
import {
  type AdapterDouble,
  eventOf,
  MODEL,
  startAdapterDouble,
  startTestCarota,
  type TestCarota,
} from '../carota/support/test-carota.js';
import { takingTurns } from '../support/depth.js';
import { vinOf } from '../support/messages.js';
import {
  expectAccessible,
  expectGoodPages,
  figureOf,
  hasChromium,
  open,
  signIn,
  startBrowser,
  VIEWS,
  visit,
} from './support/browser.js';

const vins = Array.from({ length: 20 }, (_, n) => vinOf(n, 'CSP'));
const REF_ID = 'winter 1/2';
/** For tests that no later one depends on. */
const isTurn = takingTurns(3);
/** For pages that axe examines along the way. */
const isExamined = takingTurns(6);
const PATH = `/schedules/${encodeURIComponent(REF_ID)}`;

describe.runIf(await hasChromium())('planning', () => {
  let adapter: AdapterDouble;
  let carota: TestCarota;
  let browser: Browser;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    adapter = await startAdapterDouble();
    carota = await startTestCarota(adapter.url, { approval: 'second-person' });
    browser = await startBrowser();
    ({ page, complaints } = await open(browser, carota.carota.httpUrl));
    const { body } = await carota.call('POST', '/v1.0/tokens', {
      body: { role: 'planner', name: 'Ada' },
    });
    await signIn(page, body.token);
  });
  afterAll(async () => {
    await browser.close();
    await carota.stop();
    await adapter.stop();
  });
  afterEach(() => {
    expect(complaints).toEqual([]);
  });

  /** Custom data of a target in the image repository. */
  const matchOf = async (path: string) => {
    const file = async (name: string) =>
      (await carota.call('GET', `/uptane/image/metadata/${name}`)).body.signed;
    const { version } = (await file('timestamp.json')).meta['snapshot.json'];
    const { meta } = await file(`${version}.snapshot.json`);
    const { targets } = await file(`${meta['targets.json'].version}.targets.json`);
    return targets[path].custom.match;
  };

  const show = async () => (await carota.call('GET', `/v1.0${PATH}`)).body;

  test('an artifact is uploaded', async () => {
    await visit(page, '/artifacts', 'Artifacts');
    const software = Buffer.alloc(1_000_000, 'software');
    await page.getByLabel('Hardware ids').fill('hw-hu, hw-hu-b');
    await page.getByLabel('Release counter').fill('7');
    await page.getByLabel('Drop a file here').setInputFiles({
      name: 'HU 1.4.0',
      mimeType: 'application/octet-stream',
      buffer: software,
    });
    const stored = page.getByText(/is stored: 1 MB/);
    await stored.waitFor();
    const { body } = await carota.call('GET', '/v1.0/artifacts');
    const { sha256 } = body.items[0];
    expect(await stored.innerText()).toContain(`${sha256}; published as artifacts/${sha256}`);
    expect(await matchOf(`artifacts/${sha256}`)).toEqual({
      hardwareIds: ['hw-hu', 'hw-hu-b'],
      releaseCounter: 7,
    });
    await page.getByRole('link', { name: 'HU 1.4.0' }).waitFor();
  });

  test('an artifact is deleted, unless something uses it', async () => {
    await carota.upload(Buffer.from('not needed any more'));
    await visit(page, '/artifacts', 'Artifacts');
    await page.getByText(/^2 of 10,000 artifacts/).waitFor();
    const remove = async (name: string) => {
      const row = page.getByRole('row', { name: new RegExp(name) });
      await row.getByRole('button', { name: 'Delete' }).click();
      const dialog = page.getByRole('alertdialog', { name: `Delete: ${name}?` });
      await dialog.getByRole('button', { name: 'Delete' }).click();
      return dialog;
    };
    const gone = await remove('test');
    await gone.waitFor({ state: 'detached' });
    await page.getByText(/^1 of 10,000 artifacts/).waitFor();
    const used = await remove('HU 1.4.0');
    await used.getByText(/is used by the target artifacts\//).waitFor();
    await used.getByRole('button', { name: 'Keep as is' }).click();
    await page.getByRole('link', { name: 'HU 1.4.0' }).waitFor();
  });

  test('vehicles are imported, invalid lines rejected with their numbers', async () => {
    await visit(page, '/vehicles', 'Vehicles');
    const lines = [
      'vin,model,tags,version:HU',
      ...vins.map((vin) => `${vin},${MODEL},winter,1.3.2`),
    ];
    await page.getByLabel('Drop a CSV or NDJSON of vehicles here').setInputFiles({
      name: 'fleet.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from([...lines, 'WRONG,x,,1'].join('\n')),
    });
    await page.getByText('20 imported, 1 line rejected').waitFor();
    await page.getByRole('region', { name: 'Rejected lines of fleet.csv' }).waitFor();
  });

  test('an update script is written, validated while typing, and published', async () => {
    await visit(page, '/scripts/new', 'New update script');
    const publish = page.getByRole('button', { name: 'Publish' });
    await page.getByLabel('Name (script-ref-id)').fill('hu 1.4');
    await page.getByLabel('Model').fill(MODEL);
    await page.getByLabel('ECU', { exact: true }).fill('HU');
    await page.getByLabel('New version').fill('not a version!');
    await page.getByLabel('From versions').fill('1.3.*');
    await page.locator('.faults').getByText('/ecus/0/version').waitFor();
    expect(await publish.isDisabled()).toBe(true);
    await page.getByLabel('New version').fill('1.4.0');
    await page.getByLabel('Artifact').selectOption({ index: 1 });
    await page.getByLabel('Question to the driver').fill('Install 1.4.0 now?');
    await page.getByText('The script is valid.').waitFor();
    await page.getByLabel('Hardware ids').fill('hw-primary');
    if (isExamined()) await expectAccessible(page);
    await publish.click();
    await page.getByText('/releaseCounter').waitFor();
    await page.getByLabel('Release counter').fill('3');
    await publish.click();
    await page.getByRole('heading', { level: 1, name: 'hu 1.4' }).waitFor();
    const { body } = await carota.call('GET', '/v1.0/update-scripts/hu%201.4');
    expect(body.script).toMatchObject({
      model: MODEL,
      consent: { text: 'Install 1.4.0 now?' },
      ecus: [{ ecu: 'HU', version: '1.4.0', from: ['1.3.*'] }],
    });
    expect(await matchOf('scripts/hu 1.4.json')).toEqual({
      hardwareIds: ['hw-primary'],
      releaseCounter: 3,
    });
  });

  test.runIf(isTurn())(
    'an empty plan is not sent, so nothing is refused before the planner types',
    async () => {
      const refused: string[] = [];
      const note = (answer: { status(): number; url(): string }) => {
        if (answer.status() >= 400) refused.push(`${answer.status()} ${answer.url()}`);
      };
      page.on('response', note);
      await visit(page, '/schedules/new', 'Plan a schedule');
      const checked = page.waitForResponse(/schedules\/preview/);
      expect(await page.locator('.fault:visible').count()).toBe(0);
      // The first request follows the first input; every earlier one has been answered by then.
      await page.getByLabel('Name (ref-id)').fill('x');
      expect((await checked).status()).toBe(400);
      expect(refused).toHaveLength(1);
      page.off('response', note);
    },
  );

  test('a schedule is planned step by step; the preview shows waves and versions', async () => {
    await visit(page, '/schedules/new', 'Plan a schedule');
    const next = page.getByRole('button', { name: 'Next' });
    await page.getByLabel('Name (ref-id)').fill(REF_ID);
    await page.getByLabel('Update script').selectOption('hu 1.4');
    await next.click();
    await page.getByLabel('Tags, all of them').fill('winter');
    await page.getByText('20 vehicles now').waitFor();
    await next.click();
    // A wave without a number is a fault, shown at its field; so is a half-typed number.
    await page.getByLabel('Percent').first().fill('');
    await page.getByRole('tab', { name: '3. Waves and windows' }).waitFor();
    await page
      .getByText(/must be/)
      .first()
      .waitFor();
    await page.getByLabel('Percent').first().fill('5e');
    await page.getByText('Not a number.').waitFor();
    await page.getByLabel('Seconds between waves').fill('1.5');
    await page.getByText('Must be a whole number.').waitFor();
    await page.getByRole('tab', { name: '5. Preview' }).click();
    await page.locator('.faults').getByText('/waves/0/percent').waitFor();
    expect(await page.getByRole('button', { name: 'Propose schedule' }).isDisabled()).toBe(true);
    await page.getByRole('tab', { name: '3. Waves and windows' }).click();
    await page.getByLabel('Seconds between waves').fill('');
    await page.getByLabel('Percent').first().fill('20');
    await page.getByRole('button', { name: 'Remove wave 2' }).click();
    if (isExamined()) await expectAccessible(page);
    await next.click();
    await page.getByLabel('Tolerated failure rate').fill('5');
    await page.getByLabel('Intolerable failure rate').fill('50');
    await page.getByLabel('Missed-stop probability').fill('10');
    await next.click();
    const waves = page.getByRole('region', { name: 'Waves of the preview' });
    // A preview of slightly older input may appear first.
    await expect
      .poll(() => waves.locator('tbody td:nth-child(2)').allInnerTexts())
      .toEqual(['4', '16']);
    const versions = page.getByRole('region', { name: 'Versions of the preview' });
    await expect
      .poll(() => versions.locator('tbody tr').allInnerTexts())
      .toEqual([expect.stringMatching(/HU\s+1\.3\.2\s+20\s+can start from it/)]);
    await page.getByText('The plan is valid.').waitFor();
    if (isExamined()) await expectAccessible(page);
    await page.getByRole('button', { name: 'Propose schedule' }).click();
    await page.getByRole('heading', { level: 1, name: REF_ID }).waitFor();
    await page.getByText('proposed', { exact: true }).waitFor();
    expect(adapter.triggers).toEqual([]);
  });

  test.runIf(isTurn())('more vehicles can be added from a file', async () => {
    const plan = { 'ref-id': 'named', 'script-ref-id': 'hu 1.4', model: MODEL, vins: [vins[0]] };
    await carota.call('POST', '/v1.0/schedules', {
      body: { ...plan, start: '2100-01-01T00:00:00Z' },
    });
    await visit(page, '/schedules/named', 'named');
    const add = (lines: readonly string[]) =>
      page.getByLabel('Drop a CSV with a column vin here').setInputFiles({
        name: 'more.csv',
        mimeType: 'text/csv',
        buffer: Buffer.from(['vin', ...lines].join('\n')),
      });
    await add([vins[1] ?? '', 'WRONG']);
    await page.getByText('line 3').waitFor();
    await add(vins.slice(1, 3));
    await page.getByText('had 2 vehicles').waitFor();
    await expect.poll(() => figureOf(page, 'Vehicles')).toBe(3);
    const { body } = await carota.call('GET', '/v1.0/schedules/named/vehicles');
    expect(body.items).toHaveLength(3);
    await visit(page, PATH, REF_ID);
  });

  test('the planner cannot approve the schedule; a second person can', async () => {
    const approve = async (one: Page) => {
      await one.getByRole('button', { name: 'Approve' }).click();
      const dialog = one.getByRole('alertdialog');
      await dialog.getByText('a second person must').waitFor();
      await dialog.getByRole('button', { name: 'Approve' }).click();
      return dialog;
    };
    const refused = await approve(page);
    await refused.getByText('SECOND_PERSON_NEEDED').waitFor();
    await refused.getByRole('button', { name: 'Keep as is' }).click();
    expect((await show()).status).toBe('proposed');
    const { page: other, complaints: faults } = await open(browser, carota.carota.httpUrl);
    await signIn(other, carota.token);
    // The script needs a second person too, and before the schedule.
    await visit(other, '/scripts/hu%201.4', 'hu 1.4');
    await approve(other);
    await other.getByText('not yet', { exact: true }).waitFor({ state: 'detached' });
    await visit(other, PATH, REF_ID);
    await approve(other);
    // The planner sees it start.
    await page.getByText('running', { exact: true }).first().waitFor();
    await expect.poll(() => adapter.triggers.length).toBe(1);
    expect(adapter.triggers[0]?.vins).toHaveLength(4);
    expect(faults).toEqual([]);
    await other.context().close();
  });

  test('waves and the guard’s test are shown, and the schedule is stopped', async () => {
    // Received at one moment: the exposure, which has the time of the result, gets a fixed place in the timeline.
    const report = (all: readonly string[], status: 'success' | 'failure') => {
      const receivedAt = Date.now();
      return carota.callBack(
        (['consent_accepted', status] as const).flatMap((reported) =>
          all.map((vin) => ({
            ...eventOf({ refId: REF_ID, vin, status: reported }),
            'received-at': receivedAt,
          })),
        ),
      );
    };
    const first = adapter.triggers[0]?.vins ?? [];
    await report(first.slice(0, 1), 'failure');
    await report(first.slice(1, 3), 'success');
    const guard = page.getByRole('region', { name: 'Guard' });
    const plot = guard.getByRole('img');
    await expect.poll(async () => (await show()).guardTest.path.length).toBe(3);
    const { stopAt, goAt, path } = (await show()).guardTest;
    const { optimistic, pessimistic } = path.at(-1);
    const values = { optimistic, pessimistic, stopAt, goAt } as Record<string, number>;
    const [best, worst, stop, go] = Object.values(values).map((value) => value.toFixed(2));
    const label = `Evidence of the guard: optimistic path ${best}, pessimistic path ${worst}, stop bound ${stop}, go bound ${go}`;
    await expect.poll(() => plot.getAttribute('aria-label')).toBe(label);
    await guard
      .getByText(
        /2 of the first 3 exposed vehicles are undecided; the oldest, \w{17}, will count as succeeded/,
      )
      .waitFor();
    // One has failed; the two that report success soak.
    const wave = page.getByRole('region', { name: 'Waves' }).locator('tbody tr').first();
    await expect.poll(() => wave.innerText()).toMatch(/1\s+running\s+4\s+1\s+1\s/);
    // Vehicles that have not reported yet are waiting for their trigger, or have it.
    const legend = page.locator('.legend').first();
    await expect.poll(() => legend.innerText()).toMatch(/Waiting 16\s+Sent 1\s/);
    if (isExamined()) await expectAccessible(page);
    const dialog = page.getByRole('alertdialog');
    for (const [button, says, status] of [
      ['Pause', '1 wave with 16 vehicles will not start', 'paused'],
      ['Resume', '1 wave with 16 vehicles will follow', 'running'],
    ] as const) {
      await page.getByRole('button', { name: button }).click();
      await dialog.getByText(says).waitFor();
      await dialog.getByRole('button', { name: button }).click();
      await page.getByText(status, { exact: true }).first().waitFor();
      await expect.poll(async () => (await show()).status).toBe(status);
    }
    await page.getByRole('button', { name: 'Stop schedule' }).click();
    await dialog.getByText('16 vehicles will not be triggered.').waitFor();
    await dialog.getByLabel('Reason, for the audit log').fill('enough seen');
    await dialog.getByRole('button', { name: 'Stop schedule' }).click();
    await page.getByText('stopped', { exact: true }).first().waitFor();
    expect(await show()).toMatchObject({ status: 'stopped' });
    await page.getByText('enough seen').first().waitFor();
    // One vehicle: its installed versions, and its events.
    await page.getByLabel('State').selectOption('failure');
    await page.getByRole('link', { name: first[0] ?? '' }).click();
    await page.getByRole('heading', { level: 1, name: first[0] ?? '' }).waitFor();
    const timeline = page.getByRole('region', { name: 'Timeline' });
    await timeline.getByText('failure', { exact: true }).waitFor();
    const rows = timeline.locator('tbody tr');
    // Newest first: the guard's result is above the failure, and the exposure below.
    await expect
      .poll(() => rows.allInnerTexts())
      .toEqual([
        expect.stringMatching(/counted as failed/),
        expect.stringMatching(/failure/),
        expect.stringMatching(/consent_accepted/),
        expect.stringMatching(/exposed\s+place \d+ in the order/),
      ]);
    await page.getByRole('region', { name: 'Installed versions' }).getByText('1.3.2').waitFor();
  });

  test.runIf(isTurn())(
    'the approval page of the next campaign shows what differs from the last one',
    async () => {
      const { sha256, md5, size } = await carota.upload(Buffer.from('software 1.5.0'));
      const script = {
        ...{ version: 'v1', 'script-ref-id': 'hu 1.5', model: MODEL },
        ecus: [{ ecu: 'HU', version: '1.5.0', artifact: { sha256, md5, size } }],
      };
      await carota.call('POST', '/v1.0/update-scripts', { body: script });
      const plan = {
        ...{ 'ref-id': 'winter 2', 'script-ref-id': 'hu 1.5', model: MODEL },
        vins: [...vins.slice(2), vinOf(90, 'CSP')],
        guard: { maxFailures: 2 },
      };
      await carota.call('POST', '/v1.0/schedules', { body: plan });
      await visit(page, '/schedules/winter%202', 'winter 2');
      const plans = page.getByRole('region', { name: 'Changes of the plan' });
      await plans.getByText('guard/maxFailures').waitFor();
      await plans.getByText('{"tags":["winter"]}').waitFor();
      const row = page
        .getByRole('region', { name: 'Software of both scripts' })
        .getByRole('row', { name: /HU/ });
      expect(await row.innerText()).toMatch(/1\.4\.0[\s\S]+1\.5\.0[\s\S]+changed/);
      await row.getByText(sha256).waitFor();
      await page.getByText('19 vehicles, 20 in the last campaign: 1 added, 2 removed.').waitFor();
      await page.getByText('Removed: 2 vehicles').click();
      const removed = page.getByRole('region', { name: 'Vehicles removed' });
      for (const vin of vins.slice(0, 2)) await removed.getByText(vin).waitFor();
      await page.getByText('Added: 1 vehicle').click();
      const added = page.getByRole('region', { name: 'Vehicles added' });
      expect(await added.locator('tbody tr').count()).toBe(1);
      await page.getByRole('link', { name: REF_ID }).first().waitFor();
      if (isExamined()) await expectAccessible(page);
    },
  );

  test.runIf(isTurn())(
    'the record of the schedule is saved, as JSON Lines, as PDF, and for the archive',
    async () => {
      await visit(page, PATH, REF_ID);
      const save = async (name: string) => {
        const saved = page.waitForEvent('download');
        await page.getByRole('link', { name, exact: true }).click();
        const download = await saved;
        return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
      };
      const record = await save('JSON Lines');
      expect(record.name).toMatch(/^dossier winter 1.2\.jsonl$/);
      expect(await verifyDossier([record.bytes])).toMatchObject({ refId: REF_ID });
      const pdf = await save('PDF');
      expect(pdf.bytes.subarray(0, 5).toString()).toBe('%PDF-');
      const archive = await save('Archive with pseudonyms');
      expect(await verifyDossier([archive.bytes])).toMatchObject({ pseudonymous: true });
      expect(archive.bytes.includes(vins[0] ?? '')).toBe(false);
    },
  );

  test.runIf(isTurn())(
    'an event that could not be stored is found, read, and replayed',
    async () => {
      await visit(page, '/refused-events', 'Refused events');
      await page.getByText('No refused events').waitFor();
      const [vin = ''] = vins;
      const event = { ...eventOf({ refId: REF_ID, vin, status: 'success' }), status: 6.5 };
      await carota.callBack([event]);
      const table = page.getByRole('region', { name: 'Refused events' });
      const row = table.getByRole('row', { name: new RegExp(vin) });
      await row.getByText('not a valid event').waitFor();
      await row.getByText('/status').waitFor();
      await row.getByRole('button', { name: / B$/ }).click();
      await page.getByRole('dialog').getByText('"status": 6.5').waitFor();
      if (isExamined()) await expectAccessible(page);
      await page.keyboard.press('Escape');
      await row.getByRole('button', { name: 'Replay' }).click();
      const dialog = page.getByRole('alertdialog');
      await dialog.getByText('1 event is processed').waitFor();
      await dialog.getByRole('button', { name: 'Replay' }).click();
      await page.getByText('The event was refused: INVALID_EVENT.').waitFor();
      await page.getByRole('button', { name: 'Replay all that match' }).click();
      await dialog.getByRole('button', { name: 'Replay all that match' }).click();
      await page.getByText('0 events stored, 0 processed before, 1 refused again.').waitFor();
      await page.getByLabel('Reason', { exact: true }).selectOption('NOT_APPLIED');
      await page.getByText('No refused events').waitFor();
    },
  );

  test.each(VIEWS)('axe finds no violation on any page, and nothing jumps: %o', (view) =>
    expectGoodPages(browser, { httpUrl: carota.carota.httpUrl, token: carota.token }, view, [
      { path: '/schedules', heading: 'Schedules' },
      { path: PATH, heading: REF_ID },
      { path: '/schedules/winter%202', heading: 'winter 2' },
      { path: '/schedules/new', heading: 'Plan a schedule' },
      { path: '/scripts', heading: 'Update scripts' },
      { path: '/scripts/hu%201.4', heading: 'hu 1.4' },
      { path: '/scripts/new', heading: 'New update script' },
      { path: '/artifacts', heading: 'Artifacts' },
      { path: '/vehicles', heading: 'Vehicles' },
      { path: '/refused-events', heading: 'Refused events' },
      { path: `/vehicles/${vins[0] ?? ''}`, heading: vins[0] ?? '' },
    ]),
  );
});
