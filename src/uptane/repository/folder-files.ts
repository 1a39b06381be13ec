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
    return unlessMissing(readFile(this.#at(path)));
  }

  stream(path: string): AsyncIterable<Uint8Array> {
    return createReadStream(this.#at(path));
  }

  async size(path: string): Promise<number | undefined> {
    return (await unlessMissing(stat(this.#at(path))))?.size;
  }

  async list(folder: string): Promise<readonly string[]> {
    const entries = await unlessMissing(readdir(this.#at(folder), { withFileTypes: true }));
    return (entries ?? [])
      .filter((entry) => entry.isFile() && !entry.name.endsWith(UNFINISHED))
      .map(({ name }) => name)
      .sort();
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.#makeFolderOf(path);
    replaceFile(this.#at(path), bytes, MODE);
  }

  async writeFrom(path: string, source: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#makeFolderOf(path);
    const unfinished = `${this.#at(path)}${UNFINISHED}`;
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
    moveFile(unfinished, this.#at(path));
  }

  async remove(path: string): Promise<void> {
    if ((await this.size(path)) !== undefined) removeFile(this.#at(path));
  }

  /** Flushes new folders, so that files written into them later cannot be lost with them. */
  async #makeFolderOf(path: string): Promise<void> {
    const first = await mkdir(dirname(this.#at(path)), { recursive: true });
    if (first === undefined) return;
    for (let folder = dirname(this.#at(path)); ; folder = dirname(folder)) {
      syncFile(folder);
      if (folder.length < first.length) return;
    }
  }

  #at(path: string): string {
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
