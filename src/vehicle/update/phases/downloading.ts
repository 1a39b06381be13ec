/** Downloads each artifact, with progress; the user may pause. */
import { type Artifact } from '../../../update-script/index.js';
import { DownloadFailed, type VerifiedImage } from '../equipment.js';
import { because, type PhaseContext, type PhaseResult, scriptOf } from '../phase-context.js';
import { Progress } from '../progress.js';

export async function downloading(context: PhaseContext): Promise<PhaseResult<'downloading'>> {
  const artifacts = artifactsOf(context);
  const total = artifacts.reduce((sum, { size }) => sum + size, 0);
  const progress = new Progress(total, context.pace);
  try {
    await context.equipment.downloads.reserve(artifacts);
    let done = 0;
    for (const artifact of artifacts) {
      await downloadOne(context, artifact, (bytes) => {
        const percent = progress.at(done + bytes, context.now());
        if (percent === undefined) return;
        context.update.report('downloading', [{ key: 'download', value: `${percent}%` }]);
      });
      done += artifact.size;
    }
    return { outcome: 'downloaded', meta: context.update.facts.conditionsFound ?? [] };
  } catch (error) {
    if (!(error instanceof DownloadFailed)) throw error;
    return { outcome: 'failed', meta: because(error.message) };
  }
}

/** Each once, even if several ECUs get the same one. */
export function artifactsOf({ update }: PhaseContext): Artifact[] {
  const bySha256 = new Map(
    scriptOf(update).ecus.map(({ artifact }) => [artifact.sha256, artifact]),
  );
  return [...bySha256.values()];
}

/** The artifact as verified metadata describes it. */
export const imageOf = (
  { update }: PhaseContext,
  { sha256 }: Artifact,
): VerifiedImage | undefined => update.facts.images?.find(({ hashes }) => hashes.sha256 === sha256);

async function downloadOne(
  context: PhaseContext,
  artifact: Artifact,
  onProgress: (bytes: number) => void,
): Promise<void> {
  const { equipment, signal, update } = context;
  const { scriptRefId } = update.trigger;
  const image = imageOf(context, artifact);
  for (;;) {
    await context.unpaused();
    const pausing = context.pausing();
    try {
      await equipment.downloads.download({
        scriptRefId,
        artifact,
        image,
        onProgress,
        signal: AbortSignal.any([signal, pausing]),
      });
      return;
    } catch (error) {
      // Received bytes stay; the download continues when the user resumes.
      if (!pausing.aborted || signal.aborted) throw error;
    }
  }
}
