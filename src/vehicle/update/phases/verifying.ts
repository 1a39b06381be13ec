/** Compares the downloads with script and metadata: MD5 as the contract requires, every listed hash for security. */
import { because, type PhaseContext, type PhaseResult } from '../phase-context.js';
import { artifactsOf, imageOf } from './downloading.js';

export async function verifying(context: PhaseContext): Promise<PhaseResult<'verifying'>> {
  for (const artifact of artifactsOf(context)) {
    const image = imageOf(context, artifact);
    const fault = await context.equipment.downloads.fault(artifact, context.signal, image);
    if (fault !== undefined) return { outcome: 'damaged', meta: because(fault) };
  }
  return { outcome: 'intact' };
}
