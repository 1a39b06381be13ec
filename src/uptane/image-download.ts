/** Fetches one image into a file and verifies it on the way. */
import { open, rm } from 'node:fs/promises';
import { ImageCheck } from './image-check.js';
import { POUF } from './checks/sections.js';
import { type TransferRate } from './limits.js';
import { type Target } from './metadata/target.js';
import { Refusal, type Subject } from './refusal.js';
import { type Fetcher } from './transfer/fetcher.js';
import { transfer } from './transfer/transfer.js';

export interface ImageDownload {
  /** URL of the image folder. */
  readonly fetcher: Fetcher;
  /** See `imagePath`. */
  readonly url: string;
  readonly target: Target;
  readonly subject: Subject;
  readonly rate: TransferRate;
}

/**
 * When it returns, the entire image is on disk and verified; if it throws, no file remains.
 *
 * @param path replaced
 * @throws Refusal
 */
export async function downloadImage(download: ImageDownload, path: string): Promise<void> {
  const { fetcher, url, target, subject, rate } = download;
  const check = new ImageCheck(target, subject);
  const file = await open(path, 'w', 0o600);
  try {
    const limits = { bytes: target.length, rate };
    const exists = await transfer(fetcher, url, limits, subject, async (bytes) => {
      check.update(bytes);
      await file.writeFile(bytes);
    });
    if (!exists) {
      throw new Refusal(subject, { code: 'network', check: POUF.urls, fault: 'is not there' });
    }
    check.finish();
    await file.sync();
  } catch (error) {
    await file.close();
    await rm(path, { force: true });
    throw error;
  }
  await file.close();
}

/** Whether a file is an image, by length and every hash. */
export async function isImage(path: string, target: Target): Promise<boolean> {
  const check = new ImageCheck(target, { repository: 'local', role: path });
  try {
    const file = await open(path, 'r');
    try {
      for await (const chunk of file.createReadStream({ autoClose: false })) {
        check.update(chunk as Buffer);
      }
    } finally {
      await file.close();
    }
    check.finish();
    return true;
  } catch (error) {
    if (error instanceof Refusal || (error as NodeJS.ErrnoException).code === 'ENOENT')
      return false;
    throw error;
  }
}
