/** Work with a time limit. */

/** Timers hold no more than this, about 25 days. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Runs an action with a signal that aborts when the first of these signals does, or after the time. No listeners are left on
 * the signals afterwards.
 *
 * Replaces `AbortSignal.any` with an `AbortSignal.timeout` without other references: Node.js 20 garbage-collects such a
 * timeout, which then never fires.
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
