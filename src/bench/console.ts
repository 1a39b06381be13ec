/** The cost of the operator's console in a real Chromium: its size, its first second, and its idle time under load. */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, type Page } from 'playwright-core';
import { sessionApi } from '../contract/adapter-api/index.js';
import { type BodyOf, CONSOLE_HEADER } from '../contract/index.js';
import { eventSource } from './event-source.js';
import { RawClient } from './raw-client.js';
import { median } from './report.js';
import { type Rig } from './rig.js';
import { findChromium, ProgramMissing } from '../test-bed/index.js';

/** Started with the page: the longest of its tasks, and when it was. */
const WATCH_TASKS = `
  window.longestTask = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      window.longestTask = Math.max(window.longestTask, duration);
    }
  }).observe({ entryTypes: ['longtask'] });`;

/** A row of the table that was scrolled to is there when nothing in it is waited for. */
const ROWS_ARE_THERE = `document.querySelectorAll('.grid .waiting').length === 0 &&
  document.querySelectorAll('.grid [role=gridcell]').length > 0`;

const JUMPS = 30;
const SAMPLES = 30;
/** After this part of the load, all code is compiled and the caches are full, ms. */
const WARM_UP_MS = 4 * 60_000;

export interface FirstPage {
  /** Bytes of script as they came over the line. */
  readonly script: number;
  readonly style: number;
  /** ms from going there until the list of operations is shown. */
  readonly usable: number;
}

export interface Scrolled {
  /** ms from a jump to any place of the table until its rows are there. */
  readonly shown: number;
  /** ms */
  readonly longestTask: number;
}

export interface UnderLoad {
  /** Changes that were stored, a second. */
  readonly perSecond: number;
  /** ms */
  readonly longestTask: number;
  /** Bytes of the heap after collecting garbage, when warm and at the end. */
  readonly heapBefore: number;
  readonly heapAfter: number;
}

/** Checks at every frame until the condition holds; the debugger may evaluate code that the page's own policy forbids. */
async function shows(page: Page, condition: string): Promise<void> {
  await page.evaluate(`new Promise((done) => {
    const look = () => (${condition} ? done() : requestAnimationFrame(look));
    look();
  })`);
}

export class ConsoleBench {
  readonly #rig: Rig;
  readonly #browser: Browser;
  readonly #base: string;

  private constructor(rig: Rig, browser: Browser) {
    this.#rig = rig;
    this.#browser = browser;
    this.#base = `${rig.adapter.httpUrl}/console`;
  }

  /** @throws ProgramMissing */
  static async start(rig: Rig): Promise<ConsoleBench> {
    const executablePath = findChromium();
    const { chromium } = await import('playwright-core').catch(() => {
      throw new ProgramMissing('playwright-core', 'npm install playwright-core');
    });
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    return new ConsoleBench(rig, browser);
  }

  /** A page of one who is signed in, and has nothing in its cache. */
  async #open(path: string): Promise<{ page: Page; usable: number }> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 900 } });
    // Not with the typed client: the browser must keep the cookie.
    const { method, path: signIn } = sessionApi.signIn;
    const answer = await context.request.fetch(this.#rig.adapter.httpUrl + signIn, {
      method,
      data: { token: this.#rig.adapter.token } satisfies BodyOf<typeof sessionApi.signIn>,
      headers: { [CONSOLE_HEADER]: '1' },
    });
    if (!answer.ok()) throw new Error(`signing in: ${answer.status()}`);
    const page = await context.newPage();
    await page.addInitScript(WATCH_TASKS);
    const started = performance.now();
    await page.goto(this.#base + path);
    await page.locator('td a, .figures, [role=gridcell] a').first().waitFor();
    return { page, usable: performance.now() - started };
  }

  async firstPage(rounds: number): Promise<FirstPage> {
    const times: number[] = [];
    let sizes = { script: 0, style: 0 };
    for (let round = 0; round < rounds; round++) {
      const { page, usable } = await this.#open('/operations');
      times.push(usable);
      sizes = await page.evaluate<typeof sizes>(`(() => {
        const bytes = (type) => performance.getEntriesByType('resource')
          .filter(({ name }) => name.endsWith(type))
          .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0);
        return { script: bytes('.js'), style: bytes('.css') };
      })()`);
      await page.context().close();
    }
    return { ...sizes, usable: median(times) };
  }

  /** Jumps to any place of the table of an operation. */
  async scroll(refId: string): Promise<Scrolled> {
    const { page } = await this.#open(`/operations/${refId}/vehicles`);
    await page.evaluate('window.longestTask = 0');
    const times: number[] = [];
    for (let jump = 0; jump < JUMPS; jump++) {
      const started = performance.now();
      await page.evaluate(`(() => {
        const grid = document.querySelector('.grid');
        grid.scrollTop = ${((jump * 7) % JUMPS) / JUMPS} * grid.scrollHeight;
      })()`);
      // The rows of before are gone with the next frame.
      await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done)))');
      await shows(page, ROWS_ARE_THERE);
      times.push(performance.now() - started);
    }
    // By the wheel, a screen at a time.
    await page.locator('.grid').hover();
    for (let turn = 0; turn < 100; turn++) {
      await page.mouse.wheel(0, 600);
      await sleep(16);
    }
    const longestTask = await page.evaluate<number>('window.longestTask');
    await page.context().close();
    return { shown: median(times), longestTask };
  }

  /** From the publishing of one event until the page of its vehicle shows it; ms, of each sample. */
  async untilSeen(refId: string, vehiclesFile: string): Promise<number[]> {
    const [line = ''] = readFileSync(vehiclesFile, 'utf8').split('\n').slice(-1);
    const [vin = '', systemId = '', triggerId = ''] = line.split(' ');
    const next = eventSource([{ vin, systemId, triggerId }], refId, `seen-${Date.now()}`);
    const client = await RawClient.connect({ port: this.#rig.brokerPort, clientId: 'bench-seen' });
    const { page } = await this.#open(`/vehicles/${vin}`);
    const rows = page.locator('.timeline tbody tr');
    await rows.first().waitFor();
    const times: number[] = [];
    for (let n = 0; n < SAMPLES; n++) {
      // Not in step with what looks for changes.
      await sleep(500 + ((n * 37) % 300));
      const before = await rows.count();
      const { topic, payload } = next(n);
      const started = performance.now();
      client.publish(topic, payload);
      await shows(page, `document.querySelectorAll('.timeline tbody tr').length > ${before}`);
      times.push(performance.now() - started);
    }
    client.close();
    await page.context().close();
    return times;
  }

  /** The page of an operation, while its vehicles report. */
  async underLoad(refId: string, minutes: number): Promise<UnderLoad> {
    const { page } = await this.#open(`/operations/${refId}`);
    const debug = await page.context().newCDPSession(page);
    const heap = async () => {
      await debug.send('HeapProfiler.collectGarbage');
      return (await debug.send('Runtime.getHeapUsage')).usedSize;
    };
    await sleep(WARM_UP_MS);
    const heapBefore = await heap();
    // A full garbage collection is a separate task that the page does not cause.
    await sleep(500);
    await page.evaluate('window.longestTask = 0');
    const applied = async () =>
      (await this.#rig.adapter.metrics()).get('otaops_messages_applied_total') ?? NaN;
    const before = await applied();
    await sleep(minutes * 60_000);
    const perSecond = ((await applied()) - before) / (minutes * 60);
    const longestTask = await page.evaluate<number>('window.longestTask');
    const heapAfter = await heap();
    await page.context().close();
    return { perSecond, longestTask, heapBefore, heapAfter };
  }

  end(): Promise<void> {
    return this.#browser.close();
  }
}
