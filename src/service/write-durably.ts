/** Files and folders that survive a power cut. */
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** Written with mode 0600, completely and durably, before this returns. */
export async function writeDurably(file: string, text: string): Promise<void> {
  const folder = dirname(file);
  await makeFolder(folder);
  const fresh = await open(`${file}.new`, 'w', 0o600);
  try {
    await fresh.writeFile(text);
    await fresh.sync();
  } finally {
    await fresh.close();
  }
  await rename(`${file}.new`, file);
  await syncPath(folder);
}

/** Creates a folder of mode 0700, and those above it, if missing; when it returns, they survive a power cut. */
export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = resolve(folder); ; made = dirname(made)) {
    await syncPath(dirname(made));
    if (made === resolve(first)) return;
  }
}

/** Makes a file's bytes, or links, renames and removals in a directory, survive a power cut. */
export async function syncPath(path: string): Promise<void> {
  const opened = await open(path);
  await opened.sync().finally(() => opened.close());
}
