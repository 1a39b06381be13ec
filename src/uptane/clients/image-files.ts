/** Images for ECUs: downloaded and verified in the state directory, then moved to one file per ECU. */
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Assignment } from '../director/check-director-targets.js';
import { type InstalledImage } from '../director/installed-image.js';
import { downloadImage, isImage } from '../image-download.js';
import { SLOWEST } from '../limits.js';
import { moveFile, syncFile } from '../store/durable-file.js';
import { fileNameOf } from '../store/file-metadata-store.js';
import { type Fetcher } from '../transfer/fetcher.js';
import { imagePath } from '../urls.js';

export interface ImageFilesOptions {
  /** URL of the repository's image folder. */
  readonly fetcher: Fetcher;
  /** Emptied before and after each cycle. */
  readonly downloads: string;
  /** One file per ECU, named by its identifier. */
  readonly directory: string;
}

export class ImageFiles {
  readonly #options: ImageFilesOptions;

  constructor(options: ImageFilesOptions) {
    this.#options = options;
  }

  /** Whether an ECU's file is this image. */
  has(ecuId: string, image: InstalledImage): Promise<boolean> {
    return isImage(this.#fileOf(ecuId), { ...image, custom: undefined });
  }

  /** Fetches and verifies all images, each once. @throws Refusal; the ECUs' files are then unchanged */
  async download(assignments: readonly Assignment[]): Promise<void> {
    const { fetcher, downloads } = this.#options;
    this.clear();
    if (assignments.length > 0) mkdirSync(downloads, { recursive: true, mode: 0o700 });
    const done = new Map<string, string>();
    for (const { ecuId, target } of assignments) {
      const path = this.#downloadOf(ecuId);
      const same = done.get(target.path);
      if (same) copyDurably(same, path);
      else if (await isImage(this.#fileOf(ecuId), target)) copyDurably(this.#fileOf(ecuId), path);
      else {
        const subject = { repository: 'image', role: target.path };
        const url = imagePath(target);
        await downloadImage({ fetcher, url, target, subject, rate: SLOWEST }, path);
      }
      done.set(target.path, path);
    }
  }

  /** Replaces the ECU's file with the download. */
  install({ ecuId }: Assignment): void {
    const { directory } = this.#options;
    mkdirSync(directory, { recursive: true });
    const download = this.#downloadOf(ecuId);
    const file = this.#fileOf(ecuId);
    try {
      moveFile(download, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
      // Another file system: copied beside the target first, so that a partial image is never visible.
      const unfinished = join(directory, `.${fileNameOf(ecuId)}.unfinished`);
      copyDurably(download, unfinished);
      moveFile(unfinished, file);
    }
  }

  clear(): void {
    rmSync(this.#options.downloads, { recursive: true, force: true });
  }

  #fileOf(ecuId: string): string {
    return join(this.#options.directory, ecuId);
  }

  #downloadOf(ecuId: string): string {
    return join(this.#options.downloads, fileNameOf(ecuId));
  }
}

function copyDurably(from: string, to: string): void {
  copyFileSync(from, to);
  syncFile(to);
}
