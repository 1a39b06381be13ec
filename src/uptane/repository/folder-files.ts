/** A repository's files in a folder on this machine. */
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { moveFile, removeFile, replaceFile, syncFile, UNFINISHED } from '../store/durable-file.js';
import { type RepositoryFiles } from './files.js';

/** Published files are public, and another user may serve them. */
const MODE = 0o644;

export class FolderFiles implements RepositoryFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  read(path: string): Promise<Uint8Array | undefined> {
    return unlessMissing(readFile(this.pathOf(path)));
  }

  stream(path: string): AsyncIterable<Uint8Array> {
    return createReadStream(this.pathOf(path));
  }

  async size(path: string): Promise<number | undefined> {
    return (await unlessMissing(stat(this.pathOf(path))))?.size;
  }

  async list(folder: string): Promise<readonly string[]> {
    const entries = await unlessMissing(readdir(this.pathOf(folder), { withFileTypes: true }));
    return (entries ?? [])
      .filter((entry) => entry.isFile() && !entry.name.endsWith(UNFINISHED))
      .map(({ name }) => name)
      .sort();
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.#makeFolderOf(path);
    replaceFile(this.pathOf(path), bytes, MODE);
  }

  async writeFrom(path: string, source: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#makeFolderOf(path);
    const unfinished = `${this.pathOf(path)}${UNFINISHED}`;
    const file = await open(unfinished, 'w', MODE);
    try {
      for await (const bytes of source) await file.writeFile(bytes);
      await file.sync();
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    moveFile(unfinished, this.pathOf(path));
  }

  async remove(path: string): Promise<void> {
    if ((await this.size(path)) !== undefined) removeFile(this.pathOf(path));
  }

  /** Flushes new folders, so that files written into them later cannot be lost with them. */
  async #makeFolderOf(path: string): Promise<void> {
    const first = await mkdir(dirname(this.pathOf(path)), { recursive: true });
    if (first === undefined) return;
    for (let folder = dirname(this.pathOf(path)); ; folder = dirname(folder)) {
      syncFile(folder);
      if (folder.length < first.length) return;
    }
  }

  /** In the file system. */
  pathOf(path: string): string {
    return join(this.#folder, ...path.split('/'));
  }
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
