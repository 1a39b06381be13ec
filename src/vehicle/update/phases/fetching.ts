/** Fetches and verifies the script, and compares it with the vehicle and its installed versions. */
import { ScriptRefused, type UpdateScript } from '../../../update-script/index.js';
import { SourceUnreachable } from '../equipment.js';
import { because, type PhaseContext, type PhaseResult } from '../phase-context.js';
import { suitability } from '../suitability.js';
import { versionsMeta } from '../versions-meta.js';

export async function fetching(context: PhaseContext): Promise<PhaseResult<'fetching'>> {
  const { update, equipment, now, signal } = context;
  const { scriptRefId } = update.trigger;
  try {
    const script = await equipment.scripts.fetch(scriptRefId, now(), signal);
    checkAddressee(script, scriptRefId, context.model);
    return await judge(script, context);
  } catch (error) {
    if (error instanceof ScriptRefused) return { outcome: 'refused', meta: because(error.message) };
    if (error instanceof SourceUnreachable) {
      return { outcome: 'unreachable', meta: because(error.message) };
    }
    throw error;
  }
}

/** A valid signature on a different script, or on one for other vehicles, is worth no more than a forged one. */
function checkAddressee(script: UpdateScript, scriptRefId: string, model: string): void {
  if (script['script-ref-id'] !== scriptRefId) {
    throw new ScriptRefused(`this is script '${script['script-ref-id']}', not '${scriptRefId}'`);
  }
  if (script.model !== model) {
    throw new ScriptRefused(`the script is for model '${script.model}', this is '${model}'`);
  }
}

async function judge(
  script: UpdateScript,
  { equipment: { installer } }: PhaseContext,
): Promise<PhaseResult<'fetching'>> {
  const running = new Map<string, string | undefined>();
  for (const { ecu } of script.ecus) running.set(ecu, await installer.version(ecu));
  const verdict = suitability(script, running);
  switch (verdict.kind) {
    case 'suitable':
      return { outcome: 'accepted', facts: { script } };
    case 'installed':
      return {
        outcome: 'installed',
        meta: [...because('all versions are already installed'), ...versionsMeta(script)],
      };
    case 'unsuitable':
      return { outcome: 'unsuitable', meta: because(verdict.reason) };
  }
}
