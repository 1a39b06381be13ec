/** A real headless Chromium, where one is installed. */
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { findChromium } from '../../../src/test-bed/index.js';
import { byDepth, sampleOf } from '../../support/depth.js';
import { ifInstalled } from '../../support/servers.js';

export async function hasChromium(): Promise<boolean> {
  return (await ifInstalled(() => Promise.resolve(findChromium()))) !== undefined;
}

export function startBrowser(): Promise<Browser> {
  // Its sandbox needs privileges that a container lacks.
  return chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox'] });
}

export interface Opened {
  readonly page: Page;
  /** Errors that the browser reports: of scripts, and violations of the Content-Security-Policy. */
  readonly complaints: string[];
}

export interface View {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
  readonly timezoneId?: string;
}

/** Opens a server's console at the sign-in page. */
export async function open(browser: Browser, httpUrl: string, view: View = {}): Promise<Opened> {
  const { width = 1280, height = 900, colorScheme = 'light', timezoneId = 'Asia/Kolkata' } = view;
  const context = await browser.newContext({
    baseURL: httpUrl,
    viewport: { width, height },
    colorScheme,
    timezoneId,
    locale: 'en-GB',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  await page.addInitScript(WATCH_SHIFTS);
  page.setDefaultTimeout(45_000);
  const complaints: string[] = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    const isAnswer = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isAnswer) complaints.push(message.text());
  });
  await page.goto('/console/');
  return { page, complaints };
}

export async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
}

/** Opens a page by its address. */
export async function visit(page: Page, path: string, heading: string | RegExp): Promise<void> {
  await page.goto(`/console${path}`);
  await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  await expectLoaded(page);
}

/** Waits until nothing is loading any more and everything is painted. */
export async function expectLoaded(page: Page): Promise<void> {
  await expect.poll(() => page.getByLabel('Loading', { exact: true }).count()).toBe(0);
  await painted(page);
}

/** Waits until the current document is painted: the second frame starts once the first one is complete. */
async function painted(page: Page): Promise<void> {
  await page.evaluate(
    'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))',
  );
}

interface Violation {
  readonly id: string;
  readonly nodes: readonly {
    readonly target: readonly string[];
    readonly failureSummary: string;
  }[];
}

/** axe finds no violation of WCAG 2.2 A and AA. */
export async function expectAccessible(page: Page): Promise<void> {
  // Evaluated by the debugger: the Content-Security-Policy forbids it as a script of the page.
  await page.evaluate(axe.source);
  const { violations, passed } = await page.evaluate<{ violations: Violation[]; passed: number }>(`
    axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })
      .then(({ violations, passes }) => ({ violations, passed: passes.length }))`);
  // It has checked something.
  expect(passed).toBeGreaterThan(8);
  const faults = violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
  );
  expect(faults.join('\n'), page.url()).toBe('');
}

/** Nothing is wider than the window, except tables and messages, which scroll. */
export async function expectNoOverflow(page: Page): Promise<void> {
  const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
  expect(overflow, page.url()).toBeLessThanOrEqual(0);
}

/**
 * The layout shifts since the page was opened (W3C Layout Instability). A shift is measured between two frames: content
 * that was not painted before, or is not painted yet, does not count.
 */
const WATCH_SHIFTS = `{
  let sum = 0;
  const add = (shifts) => {
    for (const { value, hadRecentInput } of shifts) if (!hadRecentInput) sum += value;
  };
  const observer = new PerformanceObserver((list) => add(list.getEntries()));
  observer.observe({ type: 'layout-shift', buffered: true });
  window.layoutShift = () => {
    add(observer.takeRecords());
    return sum;
  };
}`;

/** At most what counts as good for a loading page (0.1). */
export async function expectNoJump(page: Page): Promise<void> {
  await painted(page);
  expect(await page.evaluate<number>('window.layoutShift()'), page.url()).toBeLessThan(0.1);
}

/** A figure at the top of a page. */
export async function figureOf(page: Page, label: string): Promise<number> {
  const name = page.getByText(label, { exact: true });
  const text = await page.locator('.figures > div', { has: name }).locator('dd').innerText();
  return Number((text.split('\n')[0] ?? '').replaceAll(',', ''));
}

export interface PageAt {
  readonly path: string;
  readonly heading: string | RegExp;
}

/**
 * Opens each page by its address and checks for overflow, layout shifts and accessibility violations. A quick run opens
 * every third page, and examines the accessibility of every sixth.
 */
export async function expectGoodPages(
  browser: Browser,
  server: { readonly httpUrl: string; readonly token: string },
  view: View,
  pages: readonly PageAt[],
): Promise<void> {
  const { page, complaints } = await open(browser, server.httpUrl, view);
  await signIn(page, server.token);
  const axed = new Set(sampleOf(pages, 6));
  for (const one of sampleOf(pages, 3)) {
    await visit(page, one.path, one.heading);
    if (axed.has(one)) await expectAccessible(page);
    await expectNoOverflow(page);
    await expectNoJump(page);
  }
  expect(complaints).toEqual([]);
  await page.context().close();
}

export const LIGHT: View = { width: 1280, colorScheme: 'light' };
const DARK: View = { width: 1920, colorScheme: 'dark' };
/** The views in which every page is checked; the dark one only at full depth. */
export const VIEWS: readonly View[] = byDepth({ quick: [LIGHT], full: [LIGHT, DARK] });
