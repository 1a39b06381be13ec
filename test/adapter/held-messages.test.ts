/** Only a limited amount of messages waits for a budget, whatever a vehicle sends. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MessageBudget } from '../../src/adapter/d2c-receiver/index.js';
import {
  HeldMessages,
  MOST_HELD,
  MOST_HELD_BYTES,
} from '../../src/adapter/message-link/held-messages.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const SECOND = 1_000;
const connection = {};
let full: object[];
let handedOn: number[];
let kept: number;
/** The budget allows one message at once, and then one per second. */
function heldMessages() {
  full = [];
  handedOn = [];
  kept = 0;
  const held = new HeldMessages<object>({
    budget: new MessageBudget({ burst: 1, perHour: 3_600 }),
    onHeld: () => undefined,
    onFull: (one) => full.push(one),
  });
  return (n: number, bytes = 1) =>
    held.pass(connection, 'a', {
      bytes,
      keep: () => (kept += 1),
      handOn: () => handedOn.push(n),
    });
}

test('a limited number waits; beyond it, the connection is closed once and no further message of it is passed on', () => {
  const pass = heldMessages();
  for (let n = 0; n <= MOST_HELD; n++) pass(n);
  expect([full, handedOn, kept]).toEqual([[], [0], MOST_HELD]);
  for (let n = 0; n < 3 * MOST_HELD; n++) pass(n);
  vi.advanceTimersByTime(10 * SECOND);
  expect([full, handedOn, kept]).toEqual([[connection], [0], MOST_HELD]);
});

test('a limited number of bytes waits, and each message that is passed on frees room', () => {
  const pass = heldMessages();
  const half = MOST_HELD_BYTES / 2;
  pass(0, half);
  pass(1, half);
  pass(2, half);
  vi.advanceTimersByTime(SECOND + 1);
  expect(handedOn).toEqual([0, 1]);
  pass(3, half);
  expect(full).toEqual([]);
  pass(4, 1);
  expect(full).toEqual([connection]);
});
