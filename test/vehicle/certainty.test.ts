/**
 * The vehicle repeats messages that a broker may have lost after acknowledging them, within bounds and even after a
 * power cut.
 */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { decodeMessage } from '../../src/contract/index.js';
import {
  type CloudLink,
  type CloudLinkHandlers,
  FileJournal,
  MemoryOutbox,
  NoSubscriber,
  VehicleAgent,
  VehicleClock,
} from '../../src/vehicle/index.js';
import { temporaryDirectory } from '../support/servers.js';
import { IDENTITY, triggerOf } from './support/platform-double.js';

/** A broker whose acknowledgements the test controls. */
class LinkDouble implements CloudLink {
  isUp = false;
  readonly published: string[] = [];
  answer: () => Promise<void> = () => Promise.resolve();
  handlers: CloudLinkHandlers | undefined;

  open(handlers: CloudLinkHandlers): void {
    this.handlers = handlers;
    this.up();
  }
  up(): void {
    this.isUp = true;
    this.handlers?.onUp();
  }
  down(): void {
    this.isUp = false;
    this.handlers?.onDown?.();
  }
  publish(payload: Buffer): Promise<void> {
    const decoded = decodeMessage(payload);
    if (!decoded.ok) throw new Error(decoded.fault.code);
    this.published.push(decoded.value.message_id);
    return this.answer();
  }
  close(): Promise<void> {
    this.isUp = false;
    return Promise.resolve();
  }
}

let path: string;
let link: LinkDouble;
let agents: { agent: VehicleAgent; journal: FileJournal }[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  path = join(temporaryDirectory('certainty'), 'journal');
  agents = [];
});
afterEach(async () => {
  for (const { agent, journal } of agents) {
    await agent.stop();
    journal.close();
  }
  vi.useRealTimers();
});

/** Starts the vehicle; its updates finish at once and report nothing. */
function start(answer?: LinkDouble['answer']): void {
  link = new LinkDouble();
  if (answer) link.answer = answer;
  const journal = new FileJournal(path);
  const agent = new VehicleAgent({
    identity: IDENTITY,
    link,
    otaManager: { run: () => Promise.resolve() },
    journal,
    outbox: new MemoryOutbox(),
    clock: new VehicleClock(Date.now),
  });
  agents.push({ agent, journal });
  agent.goOnline();
}
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
/** The acknowledgement of a new trigger serves as a message. */
async function send(): Promise<void> {
  link.handlers?.onMessage(triggerOf('script', crypto.randomUUID()));
  await pass(1);
}

test('messages acknowledged in the last 40 s before a disconnect are repeated in order, however long it lasts', async () => {
  start();
  await send();
  await pass(30_000);
  await send();
  await send();
  const [, second, third] = link.published;
  await pass(20_000);
  link.down();
  await pass(600_000);
  await send();
  link.up();
  await pass(10);
  expect(link.published.slice(3, 5)).toEqual([second, third]);
  expect(link.published).toHaveLength(6);
});

test('a confirmed message is not repeated, neither after a later disconnect nor at the next start', async () => {
  start();
  await send();
  await pass(90_000);
  link.down();
  link.up();
  await pass(10);
  expect(link.published).toHaveLength(1);
  start();
  await pass(10);
  expect(link.published).toEqual([]);
});

test('a vehicle switched off right after a PUBACK repeats the message once at its next start', async () => {
  start();
  await send();
  const [first] = link.published;
  start();
  await pass(10);
  expect(link.published).toEqual([first]);
  await pass(90_000);
  start();
  await pass(10);
  expect(link.published).toEqual([]);
});

test('without a subscriber the message is kept and repeated with growing delays', async () => {
  let listens = false;
  start(() => (listens ? Promise.resolve() : Promise.reject(new NoSubscriber('0x10'))));
  await send();
  await pass(300_000);
  const tries = link.published.length;
  expect(tries).toBeGreaterThan(5);
  expect(tries).toBeLessThan(15);
  listens = true;
  await pass(60_000);
  expect(new Set(link.published).size).toBe(1);
  expect(link.published).toHaveLength(tries + 1);
});
