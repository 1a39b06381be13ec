/** Tells when a repository's folder has changed, by the times and sizes of the files that decide. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Whoever publishes writes the timestamp last; the Director's root, whose folder has none, is in `metadata` itself. */
const PUBLISHED = ['metadata/timestamp.json', 'metadata'];
/** What is proposed or signed is written below it. */
const PROPOSED = 'proposal/metadata';

/** A few files, so that it can be asked for several times a second. @returns '': there is nothing yet */
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
