/** Detects changes of a repository's folder by the times and sizes of its decisive files. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A publication writes the timestamp last; the Director's root, whose folder has no timestamp, is in `metadata` itself. */
const PUBLISHED = ['metadata/timestamp.json', 'metadata'];
/** Proposals and signatures are written below it. */
const PROPOSED = 'proposal/metadata';

/** Reads only a few files, so that it can be called several times a second. @returns '': nothing exists yet */
export async function repositoryMark(folder: string): Promise<string> {
  const proposed = await readdir(join(folder, PROPOSED)).catch(() => []);
  const paths = [...PUBLISHED, ...proposed.sort().map((name) => `${PROPOSED}/${name}`)];
  const marks = await Promise.all(
    paths.map(async (path) => {
      const found = await stat(join(folder, path)).catch(() => undefined);
      return found ? `${path} ${found.mtimeMs} ${found.size} ${found.ino}` : '';
    }),
  );
  return marks.join('\n').trim();
}
