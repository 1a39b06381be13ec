/** Writes files with secrets. */
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Written with mode 0600, completely and durably, before this returns. */
export async function writeDurably(file: string, text: string): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const fresh = await open(`${file}.new`, 'w', 0o600);
  try {
    await fresh.writeFile(text);
    await fresh.sync();
  } finally {
    await fresh.close();
  }
  await rename(`${file}.new`, file);
  await syncFolder(folder);
}

/** Makes links, renames and removals in the directory survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const opened = await open(folder);
  await opened.sync().finally(() => opened.close());
}
