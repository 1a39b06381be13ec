/** The image that was ordered for each ECU, compared with its installed image. Pure. */
import { type ECU_STANDINGS } from '../../contract/carota-api/index.js';
import { type DirectedTarget } from '../../uptane/director-repository/files.js';
import { type DueImages } from './due-images.js';
import { type ImageRecord, type OrderedRecord } from './standing.js';

export type EcuStanding = (typeof ECU_STANDINGS)[number];

const imageRecord = ({ image }: DirectedTarget): ImageRecord => ({
  path: image.path,
  length: image.length,
  hashes: image.hashes,
  releaseCounter: image.match.releaseCounter,
});

/** Images that are due now, by serial number. */
export const dueByEcu = (due: DueImages | undefined): ReadonlyMap<string, OrderedRecord> =>
  new Map(
    (due?.targets ?? []).flatMap((target) =>
      [...target.ecus.keys()].map(
        (ecuId) =>
          [ecuId, { refId: due?.schedule.refId ?? '', image: imageRecord(target) }] as const,
      ),
    ),
  );

/** @param isDue whether the order is still valid */
export function ecuStanding(
  installed: ImageRecord | null | undefined,
  ordered: ImageRecord | undefined,
  isDue: boolean,
): EcuStanding {
  if (!ordered) return 'unknown';
  if (installed && isSameImage(installed, ordered)) return 'as-ordered';
  if (isDue) return 'pending';
  return installed ? 'differs' : 'unknown';
}

/** An ECU may report fewer hashes than the metadata list. */
function isSameImage(installed: ImageRecord, ordered: ImageRecord): boolean {
  const common = Object.entries(installed.hashes).filter(([name]) =>
    Object.hasOwn(ordered.hashes, name),
  );
  return (
    installed.path === ordered.path &&
    installed.length === ordered.length &&
    common.length > 0 &&
    common.every(([name, digest]) => ordered.hashes[name] === digest)
  );
}
