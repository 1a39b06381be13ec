/** Compares the downloads with the script: MD5 as the contract demands, SHA-256 for security. */
import { because, type PhaseContext, type PhaseResult } from '../phase-context.js';
import { artifactsOf } from './downloading.js';

export async function verifying(context: PhaseContext): Promise<PhaseResult<'verifying'>> {
  for (const artifact of artifactsOf(context)) {
    const fault = await context.equipment.downloads.fault(artifact, context.signal);
    if (fault !== undefined) return { outcome: 'damaged', meta: because(fault) };
  }
  return { outcome: 'intact' };
}
