/** Fetches and verifies the script, and compares it with the vehicle and its installed versions. */
import { type MetaField } from '../../../contract/index.js';
import { type UpdateScript } from '../../../update-script/index.js';
import { NotOrdered, SourceUnreachable, UpdateRefused, type VerifiedUpdate } from '../equipment.js';
import { because, type PhaseContext, type PhaseResult } from '../phase-context.js';
import { foundVersions } from '../evidence.js';
import { suitability } from '../suitability.js';
import { versionsMeta } from '../versions-meta.js';

export async function fetching(context: PhaseContext): Promise<PhaseResult<'fetching'>> {
  const { update, equipment, signal } = context;
  const { scriptRefId } = update.trigger;
  try {
    const verified = await equipment.scripts.fetch(scriptRefId, signal);
    checkAddressee(verified.script, scriptRefId, context.model);
    return await judge(verified, context);
  } catch (error) {
    if (error instanceof UpdateRefused) {
      const { attack, hasScript, message } = error;
      return {
        outcome: hasScript ? 'refused' : 'distrusted',
        meta: [...because(message), ...(attack === undefined ? [] : [attackField(attack)])],
      };
    }
    if (error instanceof NotOrdered) return notOrdered(error, context);
    if (error instanceof SourceUnreachable) {
      return { outcome: 'unreachable', meta: because(error.message) };
    }
    throw error;
  }
}

const attackField = (attack: string): MetaField => ({ key: 'attack', value: attack });

/**
 * A forged, replayed or outdated trigger must not change the reported result: if an update of this operation has finished
 * here, its result is repeated.
 */
function notOrdered({ message }: NotOrdered, { update }: PhaseContext): PhaseResult<'fetching'> {
  const { previousResult } = update;
  if (previousResult === undefined) return { outcome: 'not ordered', meta: because(message) };
  update.report(previousResult, because(`${message}; the result of this update stands`));
  return { outcome: 'ended before' };
}

/** A valid signature on a different script, or on one for other vehicles, is treated like a forged one. */
function checkAddressee(script: UpdateScript, scriptRefId: string, model: string): void {
  if (script['script-ref-id'] !== scriptRefId) {
    const fault = `this is script '${script['script-ref-id']}', not '${scriptRefId}'`;
    throw new UpdateRefused(fault, { hasScript: true });
  }
  if (script.model !== model) {
    const fault = `the script is for model '${script.model}', this is '${model}'`;
    throw new UpdateRefused(fault, { hasScript: true });
  }
}

/** ECUs on which an image depends, or with which it may conflict. */
const othersIn = ({ ecus }: UpdateScript) =>
  new Set(
    ecus.flatMap(({ requires = [], conflicts = [] }) =>
      [...requires, ...conflicts].map(({ ecu }) => ecu),
    ),
  );

async function judge(
  { script, images }: VerifiedUpdate,
  { equipment: { installer, scripts } }: PhaseContext,
): Promise<PhaseResult<'fetching'>> {
  const running = new Map<string, string | undefined>();
  for (const { ecu } of script.ecus) running.set(ecu, await installer.version(ecu));
  const others = new Map<string, string | undefined>();
  for (const ecu of othersIn(script)) others.set(ecu, await installer.version(ecu));
  const verdict = suitability(script, new Map([...others, ...running]));
  switch (verdict.kind) {
    case 'suitable':
      return {
        outcome: 'accepted',
        facts: { script, ...(images ? { images } : {}) },
        meta: foundVersions(running),
      };
    case 'installed':
      scripts.recordExecution?.(script['script-ref-id']);
      return {
        outcome: 'installed',
        meta: [...because('all versions are already installed'), ...versionsMeta(script)],
      };
    case 'unsuitable':
      return {
        outcome: 'unsuitable',
        meta: [...because(verdict.reason), ...foundVersions(running)],
      };
  }
}
