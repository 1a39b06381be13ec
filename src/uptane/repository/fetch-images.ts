/** Fetches the images that a copy's metadata lists from the published repository, to restore a lost folder. */
import { downloadImage, isImage } from '../image-download.js';
import { SLOWEST } from '../limits.js';
import { type Target } from '../metadata/target.js';
import { type Fetcher } from '../transfer/fetcher.js';
import { imagePath } from '../urls.js';
import { FolderFiles } from './folder-files.js';
import { imageFiles } from './names.js';
import { listedImages } from './publication.js';
import { readPublished } from './published.js';
import { verifyAsNewVehicle } from './verify-publication.js';

/** An incomplete image; a restart fetches it again. */
const UNFINISHED = 'image.unfinished';

/**
 * Existing files are hashed, and fetched again only if damaged.
 *
 * @param folder with the metadata, see `fetchRepository`
 * @param fetcher of the folder with the images
 * @returns paths of new files; each was verified before it was written
 * @throws Refusal, RepositoryFault; files fetched earlier stay
 */
export async function fetchImages(
  folder: string,
  fetcher: Fetcher,
  now: Date,
): Promise<readonly string[]> {
  const files = new FolderFiles(folder);
  const { targets } = await readPublished(files);
  const images = [...targets.values()].flatMap(({ content }) => listedImages(content));
  // Delegated roles are verified when images are looked up in them.
  await verifyAsNewVehicle({ files, overlay: new Map(), now }, images);
  const written: string[] = [];
  for (const { content } of targets.values()) {
    for (const [path, { length, hashes }] of content.targets) {
      const target: Target = {
        path,
        length,
        hashes: new Map(Object.entries(hashes)),
        custom: undefined,
      };
      // The same image by each of its hashes.
      const names = imageFiles(path, hashes);
      const isThere = await Promise.all(names.map((name) => isImage(files.pathOf(name), target)));
      const missing = names.filter((_name, at) => !isThere[at]);
      if (missing.length === 0) continue;
      const at = files.pathOf(UNFINISHED);
      const subject = { repository: 'image', role: path };
      await downloadImage({ fetcher, url: imagePath(target), target, subject, rate: SLOWEST }, at);
      for (const name of missing) await files.writeFrom(name, files.stream(UNFINISHED));
      await files.remove(UNFINISHED);
      written.push(...missing);
    }
  }
  return written;
}
