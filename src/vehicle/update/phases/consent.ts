/** Asks the user; no answer in time counts as a refusal. */
import { DEFAULT_TIMEOUT } from '../../../update-script/index.js';
import {
  beginning,
  because,
  type PhaseContext,
  type PhaseResult,
  scriptOf,
} from '../phase-context.js';
import { shownText } from '../evidence.js';

export async function consent(context: PhaseContext): Promise<PhaseResult<'consent'>> {
  const script = scriptOf(context.update);
  if (!script.consent) return { outcome: 'not needed' };
  const { text, timeout = DEFAULT_TIMEOUT } = script.consent;
  const until = beginning(context) + timeout * 1000;
  const late = AbortSignal.timeout(Math.max(0, until - context.now()));
  const shown = shownText(script.consent);
  const question = {
    text,
    language: script.consent.language,
    scriptRefId: script['script-ref-id'],
    bytes: script.ecus.reduce((sum, { artifact }) => sum + artifact.size, 0),
    until,
  };
  try {
    const signal = AbortSignal.any([context.signal, late]);
    const accepted = await context.equipment.consent.ask(question, signal);
    return accepted
      ? { outcome: 'accepted', meta: shown }
      : { outcome: 'rejected', meta: [...because('declined by the user'), ...shown] };
  } catch (error) {
    if (!late.aborted || context.signal.aborted) throw error;
    return { outcome: 'rejected', meta: [...because(`no answer in ${timeout} s`), ...shown] };
  }
}
