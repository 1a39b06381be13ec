/** Makes an upload a target of the image repository, if the request names its hardware. */
import { type Target } from '../../contract/carota-api/index.js';
import { invalid, Problem } from '../../service/http/index.js';
import { TargetRefused } from '../image-repository/index.js';
import { type CarotaContext } from './context.js';

export interface TargetFacts {
  /** Separated by commas. */
  readonly hardwareIds?: string | undefined;
  readonly releaseCounter?: number | undefined;
}

/**
 * @param sha256 of a stored artifact
 * @returns `undefined` if no hardware is named, so that it does not become a target
 * @throws Problem
 */
export async function addTargetOf(
  { images }: CarotaContext,
  sha256: string,
  path: string,
  facts: TargetFacts,
): Promise<Target | undefined> {
  const hardwareIds = checkedHardware(facts);
  if (hardwareIds === undefined) return undefined;
  const { releaseCounter = 0 } = facts;
  try {
    return { path, state: await images.addTarget({ path, sha256, hardwareIds, releaseCounter }) };
  } catch (error) {
    if (error instanceof TargetRefused) throw new Problem('TARGET_REFUSED', error.message);
    throw error;
  }
}

/** Call before anything is stored. @throws Problem if one is given without the other */
export function checkedHardware({
  hardwareIds,
  releaseCounter,
}: TargetFacts): readonly string[] | undefined {
  const ids = hardwareIds?.split(',').map((id) => id.trim());
  if (ids === undefined && releaseCounter === undefined) return undefined;
  if (ids === undefined || ids.includes('')) {
    throw invalid([{ path: '/hardwareIds', message: 'must be hardware ids, separated by commas' }]);
  }
  if (releaseCounter === undefined) {
    throw invalid([{ path: '/releaseCounter', message: 'is needed where hardware ids are given' }]);
  }
  return ids;
}
