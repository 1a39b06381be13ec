/** The folder of a command. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type ImageRepository } from '../../../uptane/repository/index.js';
import { UsageError } from '../../usage-error.js';

/** @throws UsageError if there is no such folder */
export async function repositoryIn(folder: string): Promise<ImageRepository> {
  if (!existsSync(folder)) throw new UsageError(`no such folder: ${folder}`);
  const { FolderFiles, ImageRepository } = await import('../../../uptane/repository/index.js');
  return new ImageRepository(new FolderFiles(folder));
}

/** Locks the folder against other writers. */
export async function changing<T>(
  folder: string,
  work: (repository: ImageRepository) => Promise<T>,
): Promise<T> {
  const repository = await repositoryIn(folder);
  const { exclusively } = await import('../../../uptane/repository/index.js');
  return exclusively(join(folder, 'lock'), () => work(repository));
}
