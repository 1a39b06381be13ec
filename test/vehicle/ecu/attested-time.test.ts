/** An ECU's time withstands a Primary that withholds answers. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { timePayload } from '../../../src/uptane/time/signed-time.js';
import { AttestedTime } from '../../../src/vehicle/ecu/attested-time.js';
import { timeAuthority } from '../../../src/vehicle/provisioning/time-keys.js';
import { temporaryDirectory } from '../../support/servers.js';
import { makeKey, signFile } from '../../uptane/support/keys.js';

const MINUTE = 60_000;
const START = Date.parse('2026-11-27T08:00:00Z');

function ecu() {
  const key = makeKey();
  let elapsed = 0;
  const path = join(temporaryDirectory('time'), 'time.json');
  const authority = timeAuthority(Buffer.from(JSON.stringify(key.listed)), 'time keys');
  const open = () => new AttestedTime({ path, authority, monotonic: () => elapsed });
  const answer = (nonce: string) =>
    signFile(timePayload(new Date(START + elapsed), [nonce]), [key]);
  return { time: open(), open, answer, pass: (ms: number) => (elapsed += ms) };
}

test('a withheld answer is rejected, and time advances', () => {
  const { time, answer, pass } = ecu();
  time.accept(answer(time.newNonce()));
  const keptBack = answer(time.newNonce());
  pass(3 * MINUTE);
  expect(() => time.accept(keptBack)).toThrow(/has come too late/);
  expect(time.now()).toBe(START + 3 * MINUTE);
  // The nonce is used up.
  expect(() => time.accept(keptBack)).toThrow(/was not requested/);
});

test('a timely answer does not set the time back either', () => {
  const { time, answer, pass } = ecu();
  time.accept(answer(time.newNonce()));
  const keptBack = answer(time.newNonce());
  pass(MINUTE);
  time.accept(keptBack);
  expect(time.now()).toBe(START + MINUTE);
});

test('the floor is the last attested time, even after a restart', () => {
  const { time, open, answer, pass } = ecu();
  time.accept(answer(time.newNonce()));
  pass(MINUTE);
  expect(open().now()).toBe(START);
  expect(() => open().forVerification()).toThrow(/not known/);
});
