/** The driver's screen, in Chromium: legible, easy to press, steady, and clear about what happens. */
import axe from 'axe-core';
import { type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IviPage } from '../../src/vehicle/index.js';
import { PHASES } from '../../src/vehicle/update/machine.js';
import {
  conditionsInWords,
  sizeInWords,
  timeInWords,
} from '../../src/vehicle/consent/ivi-words.js';
import { sampleOf, takingTurns } from '../support/depth.js';
import { expectNoOverflow, hasChromium, startBrowser } from '../console/support/browser.js';

/** Head units, one of them small, and a phone. */
const VIEWS = [
  { width: 1280, height: 480 },
  { width: 1920, height: 720 },
  { width: 800, height: 480 },
  { width: 390, height: 844 },
] as const;
const SCHEMES = ['light', 'dark'] as const;
const [HEAD_UNIT] = VIEWS;
const LOOKS = VIEWS.flatMap((view) => SCHEMES.map((scheme) => ({ ...view, scheme })));

const QUESTION = {
  text: 'Version 7.2 of the head unit has better maps, and the rear camera starts sooner. Install it?',
  language: 'en',
  scriptRefId: 'hu only 001',
  bytes: 1_234_567_890,
  until: Date.UTC(2026, 10, 28, 18, 5),
};
const SCRIPT = {
  preconditions: { gear: 'park', battery: 50 },
  window: { from: '22:00', to: '05:00' },
};

/** A page whose update the test controls. */
class Screen {
  readonly page = new IviPage('Europe/Berlin');
  readonly pressed: string[] = [];
  current: { phase: string; facts: Record<string, unknown> } | undefined;
  #asking = new AbortController();

  async listen(): Promise<string> {
    const press = (name: string) => () => this.pressed.push(name) > 0;
    const current = () => this.current as never;
    this.page.control({
      get current() {
        return current();
      },
      pause: press('pause'),
      resume: press('resume'),
      cancel: press('cancel'),
    });
    return this.page.listen('127.0.0.1', 0);
  }

  show(phase: string | undefined, facts: Record<string, unknown> = {}): void {
    this.#asking.abort(new Error('another screen'));
    this.current = phase === undefined ? undefined : { phase, facts: { script: SCRIPT, ...facts } };
  }

  ask(text = QUESTION.text): Promise<boolean> {
    this.show('consent');
    this.#asking = new AbortController();
    const answer = this.page.ask({ ...QUESTION, text }, this.#asking.signal);
    answer.catch(() => undefined);
    return answer;
  }
}

type Box = Readonly<Record<'left' | 'top' | 'right' | 'bottom' | 'width' | 'height', number>>;

/** Expects large text, larger buttons, and all buttons in view, in pixels. */
async function expectLegible(page: Page): Promise<void> {
  const { smallest, buttons } = await page.evaluate<{ smallest: number; buttons: Box[] }>(`({
    smallest: Math.min(...[...document.body.querySelectorAll('h1, p, button')]
      .filter((one) => one.checkVisibility()).map((one) => parseFloat(getComputedStyle(one).fontSize))),
    buttons: [...document.querySelectorAll('button')].filter((one) => one.checkVisibility())
      .map((one) => one.getBoundingClientRect().toJSON()),
  })`);
  expect(smallest).toBeGreaterThanOrEqual(24);
  const { width, height } = page.viewportSize() ?? { width: 0, height: 0 };
  for (const button of buttons) {
    expect(Math.min(button.width, button.height)).toBeGreaterThanOrEqual(64);
    expect(Math.min(button.left, button.top)).toBeGreaterThanOrEqual(0);
    expect(button.right).toBeLessThanOrEqual(width);
    expect(button.bottom).toBeLessThanOrEqual(height);
  }
}

/** Expects WCAG 2.2 A and AA, and the contrast of AAA, 7 : 1. */
async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  const { faults, passed } = await page.evaluate<{ faults: string[]; passed: number }>(`
    axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'wcag2aaa'],
      rules: { 'color-contrast-enhanced': { enabled: true } },
    }).then(({ violations, passes }) => ({
      faults: violations.flatMap(({ id, nodes }) => nodes.map(({ failureSummary }) => id + ': ' + failureSummary)),
      passed: passes.filter(({ id }) => id === 'color-contrast-enhanced').length,
    }))`);
  expect(faults).toEqual([]);
  expect(passed).toBe(1);
}

const scrolls = (page: Page) =>
  page.evaluate<boolean>(
    `(({ scrollHeight, clientHeight }) => scrollHeight > clientHeight)(document.querySelector('main'))`,
  );

describe.runIf(await hasChromium())('the vehicle’s screen', () => {
  let browser: Browser;
  const screen = new Screen();
  let url: string;
  const complaints: string[] = [];
  beforeAll(async () => {
    browser = await startBrowser();
    url = await screen.listen();
  });
  afterAll(async () => {
    await browser.close();
    await screen.page.close();
    expect(complaints).toEqual([]);
  });

  async function open(
    { width, height }: { width: number; height: number } = HEAD_UNIT,
    options: Parameters<Browser['newContext']>[0] = {},
  ): Promise<Page> {
    const context = await browser.newContext({ viewport: { width, height }, ...options });
    const page = await context.newPage();
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => {
      // Logged for the status 409, the answer to a press that comes too late.
      const isAnswer = message.text().startsWith('Failed to load resource');
      if (message.type() === 'error' && !isAnswer) complaints.push(message.text());
    });
    await page.goto(url);
    return page;
  }
  const isTurn = takingTurns(3);
  const close = (page: Page) => page.context().close();
  const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
  const headline = (page: Page, text: string) =>
    page.getByRole('heading', { level: 1, name: text, exact: true }).waitFor();

  test.each(sampleOf(LOOKS, 8))(
    'is legible at $width × $height, $scheme, in every state',
    async ({ scheme, ...view }) => {
      const page = await open(view, { colorScheme: scheme });
      for (const phase of [undefined, ...sampleOf(PHASES, 3)]) {
        await page.goto('about:blank');
        screen.show(phase);
        await page.goto(url);
        await expectLegible(page);
        await expectNoOverflow(page);
        if (phase === undefined || phase === 'waiting') await expectAccessible(page);
        // Names of phases and statuses are for engineers, not for drivers.
        expect(await page.locator('body').innerText()).not.toMatch(/_|hu only|fetching|idle/);
      }
      await page.goto('about:blank');
      const asked = screen.ask();
      await page.goto(url);
      await expectLegible(page);
      await expectNoOverflow(page);
      await expectAccessible(page);
      expect(await scrolls(page)).toBe(false);
      await button(page, 'Not now').click();
      expect(await asked).toBe(false);
      await close(page);
    },
  );

  test('explains what the update means, and what happens without an answer', async () => {
    const asked = screen.ask();
    const page = await open();
    const text = await page.locator('body').innerText();
    expect(text).toContain(QUESTION.text);
    expect(text).toContain('Download: 1.2 GB, while you use your vehicle as usual.');
    expect(text).toContain('Needs: parked, battery at 50 % or more, between 22:00 and 05:00.');
    expect(text).toMatch(/no answer by Sat,? 28 Nov,? 19:05: your vehicle stays as it is\./);
    await button(page, 'Install').click();
    expect(await asked).toBe(true);
    await close(page);
  });

  test.runIf(isTurn())(
    'shows a long text without moving the answers, and scrolls it with the keys',
    async () => {
      void screen.ask('It is <b>safe</b>. '.repeat(500));
      const page = await open();
      await expectLegible(page);
      expect(await scrolls(page)).toBe(true);
      await page.locator('main').focus();
      await page.keyboard.press('PageDown');
      await expect
        .poll(() => page.evaluate<number>(`document.querySelector('main').scrollTop`))
        .toBeGreaterThan(0);
      expect(await page.locator('main b').count()).toBe(0);
      await close(page);
    },
  );

  test.runIf(isTurn())(
    'can be used with a rotary knob: the focus is visible, and does not start at an answer',
    async () => {
      const asked = screen.ask();
      const page = await open();
      const focused = () => page.evaluate<string>('document.activeElement?.textContent ?? ""');
      expect(await focused()).not.toBe('Install');
      await page.locator('main').focus();
      await page.keyboard.press('Tab');
      expect(await focused()).toBe('Install');
      const outline = await page.evaluate<string>(
        'getComputedStyle(document.activeElement).outlineWidth',
      );
      expect(parseFloat(outline)).toBeGreaterThanOrEqual(4);
      await page.keyboard.press('Enter');
      expect(await asked).toBe(true);
      await close(page);
    },
  );

  test('changes only when the update does, and its buttons stay where they are', async () => {
    screen.show('downloading');
    const page = await open();
    await headline(page, 'Downloading');
    const place = await button(page, 'Pause').boundingBox();
    await page.evaluate('window.isSame = true');
    for (let looks = 0; looks < 3; looks += 1) await page.waitForResponse(`${url}/state`);
    expect(await page.evaluate('window.isSame')).toBe(true);
    screen.show('waiting');
    await headline(page, 'Ready to install');
    expect(await button(page, 'Pause').boundingBox()).toEqual(place);
    screen.show('waiting', { paused: true });
    await headline(page, 'Update paused');
    expect(await button(page, 'Continue').boundingBox()).toEqual(place);
    screen.show('rebooting');
    await headline(page, 'Restarting');
    // The update can no longer be stopped.
    expect(await page.getByRole('button').count()).toBe(0);
    screen.show(undefined);
    await headline(page, 'No update in progress');
    await close(page);
  });

  test('does not cancel an update at one touch', async () => {
    screen.show('downloading');
    screen.pressed.length = 0;
    const page = await open();
    await button(page, 'Cancel the update').click();
    await expectLegible(page);
    await expectAccessible(page);
    expect(await page.evaluate('document.activeElement.textContent')).toBe('No, go on');
    await button(page, 'No, go on').click();
    await button(page, 'Yes, cancel it').waitFor({ state: 'hidden' });
    expect(screen.pressed).toEqual([]);
    await button(page, 'Cancel the update').click();
    await button(page, 'Yes, cancel it').click();
    await expect.poll(() => screen.pressed).toEqual(['cancel']);
    await close(page);
  });

  test.runIf(isTurn())('explains a press that comes too late', async () => {
    void screen.ask();
    const page = await open(HEAD_UNIT, { javaScriptEnabled: false });
    screen.show('rebooting');
    await button(page, 'Install').click();
    await page.getByText('That is no longer possible.').waitFor();
    await headline(page, 'Restarting');
    await close(page);
  });

  test.runIf(isTurn())(
    'says when the update service does not answer, and recovers by itself',
    async () => {
      screen.show('downloading');
      const page = await open();
      const away = page.getByText('The update service does not answer.');
      await page.route('**/state', (route) => route.abort());
      await away.waitFor();
      await page.unroute('**/state');
      await away.waitFor({ state: 'hidden' });
      screen.show('verifying');
      await headline(page, 'Checking the download');
      await close(page);
    },
  );

  const FAULTS = [
    ['small type', 'p { font-size: 20px }', expectLegible],
    [
      'small buttons',
      '.actions { min-height: 0 } button { min-height: 40px; padding: 0 }',
      expectLegible,
    ],
    ['buttons out of view', '.actions { position: fixed; top: 470px }', expectLegible],
    ['grey on white', 'p { color: #777 }', expectAccessible],
    ['a screen too wide', 'h1 { width: 1400px }', expectNoOverflow],
  ] as const;
  test.each(sampleOf(FAULTS, 5))('the checks find %s', async (_name, fault, check) => {
    void screen.ask();
    const page = await open();
    await check(page);
    await page.route('**/page.css', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, body: (await answer.text()) + fault });
    });
    await page.reload();
    await expect(check(page)).rejects.toThrow();
    await close(page);
  });
});

test.each([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [1_000, '1.0 kB'],
  [999_499, '999 kB'],
  [999_500, '1.0 MB'],
  [12_345_678, '12 MB'],
  [1_234_567_890, '1.2 GB'],
  [Number.MAX_SAFE_INTEGER, '9007 TB'],
])('%i bytes are shown as %s', (bytes, words) => {
  expect(sizeInWords(bytes)).toBe(words);
});

test('conditions and times are shown in words', () => {
  expect(conditionsInWords()).toEqual([]);
  expect(conditionsInWords({ gear: 'park', ignition: 'off' })).toEqual(['parked', 'ignition off']);
  expect(timeInWords(QUESTION.until, 'Asia/Kolkata')).toMatch(/^Sat,? 28 Nov,? 23:35$/);
});
