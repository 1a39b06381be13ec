/** Waits until the vehicle meets the preconditions, before the download and again before the installation. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type MetaField } from '../../../contract/index.js';
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
import { foundConditions } from '../evidence.js';
import { unmetCondition } from '../unmet-conditions.js';

export async function conditions(context: PhaseContext): Promise<PhaseResult<'conditions'>> {
  const { found, unmet } = await untilMet(context);
  return unmet === undefined
    ? { outcome: 'met', facts: { conditionsFound: found } }
    : { outcome: 'unmet', meta: [...because(unmet), ...found] };
}

/** First the daily window, then the conditions within it. */
export async function waiting(context: PhaseContext): Promise<PhaseResult<'waiting'>> {
  const { window } = scriptOf(context.update);
  const { timeZone } = context.equipment.conditions;
  if (window) await untilOpen(context, () => nextOpening(window, timeZone, context.now()));
  await context.unpaused();
  const { found, unmet } = await untilMet(context);
  if (unmet !== undefined) return { outcome: 'unmet', meta: [...because(unmet), ...found] };
  try {
    // The schedule may have been stopped since the download started.
    await untilAdmitted(context);
  } catch (error) {
    if (!(error instanceof NotAdmitted)) throw error;
    return { outcome: 'withdrawn', meta: because(error.message) };
  }
  return { outcome: 'open', facts: { conditionsFound: found } };
}

async function untilOpen(
  { now, pace, signal }: PhaseContext,
  opening: () => number,
): Promise<void> {
  // In short steps, because the clock may be set during the wait.
  for (let left = opening() - now(); left > 0; left = opening() - now()) {
    await sleep(Math.min(left, pace.lookMs), undefined, { signal });
  }
}

interface FoundConditions {
  /** Their values, in the form in which they are reported. */
  readonly found: readonly MetaField[];
  /** The conditions that are still not met at the timeout, in words. */
  readonly unmet?: string;
}

async function untilMet(context: PhaseContext): Promise<FoundConditions> {
  const { preconditions } = scriptOf(context.update);
  if (!preconditions) return { found: [] };
  const { timeout = DEFAULT_TIMEOUT } = preconditions;
  for (;;) {
    const status = await context.equipment.conditions.read();
    const now = context.now();
    const unmet = unmetCondition(preconditions, status);
    const found = foundConditions(preconditions, status, now);
    if (unmet === undefined) return { found };
    if (now >= beginning(context) + timeout * 1000) {
      return { found, unmet: `${unmet}, for ${timeout} s` };
    }
    await sleep(context.pace.lookMs, undefined, { signal: context.signal });
  }
}
