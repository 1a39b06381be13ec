/** Work with a time limit, even if garbage is collected meanwhile. */
import { getEventListeners, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { doWithin } from '../../src/contract/index.js';

const HOUR_MS = 3_600_000;

/** Ends with the signal, and gives its reason. */
async function untilEnded(signal: AbortSignal): Promise<unknown> {
  if (!signal.aborted) await once(signal, 'abort');
  return signal.reason;
}

test('work ends after its time, even if only a listener refers to the signal', async () => {
  setFlagsFromString('--expose_gc');
  const collect = runInNewContext('gc') as () => void;
  const stopping = new AbortController();
  let ended = 0;
  const wait = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve());
    });
  for (let n = 0; n < 10; n++) {
    void doWithin(50, [stopping.signal], wait).then(() => ended++);
  }
  for (let n = 0; n < 3; n++) {
    collect();
    await sleep(5);
  }
  await expect.poll(() => ended).toBe(10);
});

test('work ends with the first of its signals, and with its reason', async () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const ended = doWithin(HOUR_MS, [one.signal, other.signal], untilEnded);
  other.abort('because');
  one.abort('too late');
  expect(await ended).toBe('because');
  expect(await doWithin(HOUR_MS, [one.signal], untilEnded)).toBe('too late');
});

test('a timeout gives a TimeoutError, and a time too long for a timer does not end at once', async () => {
  expect(await doWithin(1, [], untilEnded)).toMatchObject({ name: 'TimeoutError' });
  const early = await doWithin(2 ** 40, [], async (signal) => {
    await sleep(20);
    return signal.aborted;
  });
  expect(early).toBe(false);
});

test('work that is done or has failed leaves no listener on a long-lived signal', async () => {
  const { signal } = new AbortController();
  for (let n = 0; n < 20; n++) {
    expect(await doWithin(HOUR_MS, [signal], () => Promise.resolve(n))).toBe(n);
    const failed = doWithin(HOUR_MS, [signal], () => Promise.reject(new Error('no')));
    await expect(failed).rejects.toThrow('no');
  }
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
