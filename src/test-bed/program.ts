/** Programs that are installed on this machine. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A required program is not installed. */
export class ProgramMissing extends Error {
  override readonly name = 'ProgramMissing';

  /** @param install command that installs it */
  constructor(program: string, install: string) {
    super(`${program} is not installed; get it with: ${install}`);
  }
}

/** Path of a program: in the given folders, in PATH or in /usr/sbin; undefined: it is not installed. */
export function findProgram(
  name: string,
  extraFolders: readonly string[] = [],
): string | undefined {
  const folders = [...extraFolders, ...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

const SHELL = 'chromium-headless-shell';

/**
 * Chromium for pages that nobody watches: its headless shell, the same engine without the windows of a desktop browser, or
 * else that.
 *
 * @throws ProgramMissing
 */
export function findChromium(): string {
  const found = findProgram(SHELL) ?? findProgram('chromium');
  if (found === undefined) throw new ProgramMissing(SHELL, `apt-get install ${SHELL}`);
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
