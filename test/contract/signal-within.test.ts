/** Signals with a time limit, also where garbage is collected meanwhile. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { signalWithin } from '../../src/contract/index.js';

const HOUR_MS = 3_600_000;

test('ends after its time, although nobody but a listener refers to it', async () => {
  setFlagsFromString('--expose_gc');
  const collect = runInNewContext('gc') as () => void;
  const stopping = new AbortController();
  let ended = 0;
  const listen = () => {
    signalWithin(50, stopping.signal).addEventListener('abort', () => ended++);
  };
  for (let n = 0; n < 20; n++) listen();
  for (let n = 0; n < 3; n++) {
    collect();
    await sleep(5);
  }
  await expect.poll(() => ended).toBe(20);
});

test('ends with the first of the signals, and with its reason', async () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const signal = signalWithin(HOUR_MS, one.signal, other.signal);
  const aborted = once(signal, 'abort');
  other.abort('because');
  await aborted;
  expect(signal.reason).toBe('because');
  one.abort('too late');
  expect(signal.reason).toBe('because');
  expect(signalWithin(HOUR_MS, one.signal).reason).toBe('too late');
});

test('the reason of the end of the time is a TimeoutError; without a signal too, and for more than a timer holds', async () => {
  const short = signalWithin(1);
  await once(short, 'abort');
  expect(short.reason).toMatchObject({ name: 'TimeoutError' });
  const long = signalWithin(2 ** 40);
  await sleep(20);
  expect(long.aborted).toBe(false);
});
