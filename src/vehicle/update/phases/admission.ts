/** Requests admission before the download (contract section 10), and again before the installation. */
import { setTimeout as sleep } from 'node:timers/promises';
import { NotAdmitted } from '../equipment.js';
import { because, type PhaseContext, type PhaseResult } from '../phase-context.js';

export async function admission(context: PhaseContext): Promise<PhaseResult<'admission'>> {
  try {
    await untilAdmitted(context);
    return { outcome: 'admitted' };
  } catch (error) {
    if (!(error instanceof NotAdmitted)) throw error;
    return { outcome: error.hasEnded ? 'withdrawn' : 'refused', meta: because(error.message) };
  }
}

/** @throws NotAdmitted */
export async function untilAdmitted(context: PhaseContext): Promise<void> {
  const { equipment, update, signal } = context;
  for (;;) {
    const pause = await equipment.admission?.ask(update.trigger.refId, signal);
    if (pause === undefined) return;
    await sleep(pause, undefined, { signal });
    await context.unpaused();
  }
}
