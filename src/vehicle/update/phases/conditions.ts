/** Waits until the vehicle meets the preconditions, before the download and again before the installation. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_TIMEOUT, nextOpening } from '../../../update-script/index.js';
import { NotAdmitted } from '../equipment.js';
import {
  beginning,
  because,
  type PhaseContext,
  type PhaseResult,
  scriptOf,
} from '../phase-context.js';
import { untilAdmitted } from './admission.js';
import { unmetCondition } from '../unmet-conditions.js';

export async function conditions(context: PhaseContext): Promise<PhaseResult<'conditions'>> {
  const unmet = await conditionsMet(context);
  return unmet === undefined ? { outcome: 'met' } : { outcome: 'unmet', meta: because(unmet) };
}

/** First the daily window, then the conditions within it. */
export async function waiting(context: PhaseContext): Promise<PhaseResult<'waiting'>> {
  const { window } = scriptOf(context.update);
  const { timeZone } = context.equipment.conditions;
  if (window) await untilOpen(context, () => nextOpening(window, timeZone, context.now()));
  await context.unpaused();
  const unmet = await conditionsMet(context);
  if (unmet !== undefined) return { outcome: 'unmet', meta: because(unmet) };
  try {
    // The schedule may have been stopped since the download began.
    await untilAdmitted(context);
  } catch (error) {
    if (!(error instanceof NotAdmitted)) throw error;
    return { outcome: 'withdrawn', meta: because(error.message) };
  }
  return { outcome: 'open' };
}

async function untilOpen(
  { now, pace, signal }: PhaseContext,
  opening: () => number,
): Promise<void> {
  // In short steps, because the clock may be set meanwhile.
  for (let left = opening() - now(); left > 0; left = opening() - now()) {
    await sleep(Math.min(left, pace.lookMs), undefined, { signal });
  }
}

/** @returns the conditions still unmet at the timeout */
async function conditionsMet(context: PhaseContext): Promise<string | undefined> {
  const { preconditions } = scriptOf(context.update);
  if (!preconditions) return undefined;
  const { timeout = DEFAULT_TIMEOUT } = preconditions;
  for (;;) {
    const unmet = unmetCondition(preconditions, await context.equipment.conditions.read());
    if (unmet === undefined) return undefined;
    if (context.now() >= beginning(context) + timeout * 1000) return `${unmet}, for ${timeout} s`;
    await sleep(context.pace.lookMs, undefined, { signal: context.signal });
  }
}
