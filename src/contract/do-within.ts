/** Work with a time limit. */

/** Timers hold no more than this, about 25 days. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Does something that a signal ends: when the first of these signals aborts, or after the time. Nothing of it is left on
 * the signals afterwards.
 *
 * In place of `AbortSignal.any` with an `AbortSignal.timeout` that nobody else refers to: Node.js 20 collects such a timeout
 * as garbage, and then it never ends.
 *
 * @param ms at most about 25 days
 */
export async function doWithin<T>(
  ms: number,
  signals: readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const follow = () => {
    controller.abort(signals.find(({ aborted }) => aborted)?.reason);
  };
  const timer = setTimeout(
    () => {
      controller.abort(new DOMException('the time is over', 'TimeoutError'));
    },
    Math.min(ms, LONGEST_MS),
  );
  // In a browser it is a number.
  if (typeof timer === 'object') timer.unref();
  for (const signal of signals) signal.addEventListener('abort', follow);
  if (signals.some(({ aborted }) => aborted)) follow();
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    for (const signal of signals) signal.removeEventListener('abort', follow);
  }
}
