/** Writes slots, switches them, checks their health, and switches back if necessary. */
import { type MetaField } from '../../../contract/index.js';
import { type EcuUpdate, installOrder } from '../../../update-script/index.js';
import { because, type PhaseContext, type PhaseResult, scriptOf } from '../phase-context.js';
import { versionsMeta } from '../versions-meta.js';

/** Maximum number of starts of new software that never completes its check. */
const MAX_STARTS = 3;

export async function installing(context: PhaseContext): Promise<PhaseResult<'installing'>> {
  const { installer, downloads } = context.equipment;
  for (const update of inOrder(context)) {
    await context.unpaused();
    try {
      await installer.install(update, downloads.pathOf(update.artifact), context.signal);
    } catch (error) {
      if (context.signal.aborted) throw error;
      const reason = `${update.ecu} ${update.version}: ${(error as Error).message}`;
      return { outcome: 'failed', facts: { reason }, meta: because(reason) };
    }
  }
  return { outcome: 'installed', meta: context.update.facts.conditionsFound ?? [] };
}

export async function rebooting(context: PhaseContext): Promise<PhaseResult<'rebooting'>> {
  const { installer } = context.equipment;
  // From here on a slot may have been switched.
  if (!context.update.facts.activated) context.update.step('rebooting', { activated: true });
  try {
    await restartOnce(context, async () => {
      for (const update of inOrder(context)) await installer.activate(update);
    });
    return { outcome: 'restarted', facts: { starts: 0 } };
  } catch (error) {
    if (context.signal.aborted) throw error;
    const reason = (error as Error).message;
    return { outcome: 'failed', facts: { reason }, meta: because(reason) };
  }
}

export async function checking(context: PhaseContext): Promise<PhaseResult<'checking'>> {
  const script = scriptOf(context.update);
  const reason = context.update.facts.proved ? undefined : await trial(context);
  if (reason === undefined) {
    // After the first ECU is confirmed, rollback is impossible.
    context.update.step('checking', { proved: true });
    const meta = [...(await confirm(context)), ...versionsMeta(script)];
    context.equipment.scripts.recordExecution?.(script['script-ref-id']);
    return { outcome: 'healthy', meta };
  }
  const outcome = script.rollback === false ? 'sick, no way back' : 'sick';
  return { outcome, facts: { reason }, meta: because(reason) };
}

/** Healthy software that cannot be confirmed still runs: this is reported, but does not cause a rollback. */
async function confirm(context: PhaseContext): Promise<MetaField[]> {
  try {
    for (const update of inOrder(context)) await context.equipment.installer.confirm(update);
    return [];
  } catch (error) {
    return [{ key: 'not-confirmed', value: (error as Error).message }];
  }
}

/** The fault of the new software. */
async function trial(context: PhaseContext): Promise<string | undefined> {
  const starts = (context.update.facts.starts ?? 0) + 1;
  context.update.step('checking', { starts });
  return starts > MAX_STARTS
    ? `the new software was started ${MAX_STARTS} times and never completed its check`
    : healthFault(context);
}

export async function rollingBack(context: PhaseContext): Promise<PhaseResult<'rolling_back'>> {
  const { installer } = context.equipment;
  const { facts } = context.update;
  const reason = facts.reason ?? 'the update has failed';
  // Nothing was switched: the previous software still runs.
  if (!facts.activated) return { outcome: 'back', meta: because(reason) };
  const reversed = inOrder(context).reverse();
  await restartOnce(context, async () => {
    for (const update of reversed) await installer.revert(update);
  });
  const remainingFault = await healthFault(context);
  return remainingFault === undefined
    ? { outcome: 'back', meta: because(reason) }
    : {
        outcome: 'lost',
        meta: because(`${reason}; then the previous software: ${remainingFault}`),
      };
}

/** Does the work and restarts, unless the vehicle has already been restarted for it. */
async function restartOnce(
  { update, equipment: { reboot }, signal }: PhaseContext,
  work: () => Promise<void>,
): Promise<void> {
  const boot = await reboot.bootId();
  const { restartedFrom } = update.facts;
  if (restartedFrom !== undefined && restartedFrom !== boot) return;
  await work();
  if (update.phase !== 'ended') update.step(update.phase, { restartedFrom: boot });
  await reboot.restart(signal);
}

/** The fault of the running software; undefined if it is healthy. */
async function healthFault(context: PhaseContext): Promise<string | undefined> {
  const { equipment, pace, signal } = context;
  for (const { ecu } of inOrder(context)) {
    const late = AbortSignal.timeout(pace.checkSeconds * 1000);
    try {
      await equipment.installer.check(ecu, AbortSignal.any([signal, late]));
    } catch (error) {
      if (signal.aborted) throw error;
      const what = late.aborted ? `no health in ${pace.checkSeconds} s` : (error as Error).message;
      return `${ecu}: ${what}`;
    }
  }
  return undefined;
}

/** An accepted script has no cycle. */
const inOrder = ({ update }: PhaseContext): EcuUpdate[] =>
  installOrder(scriptOf(update).ecus) ?? [];
