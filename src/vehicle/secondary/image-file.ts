/** The ordered image before installation: one file, verified on receipt and again at each use. */
import { open } from 'node:fs/promises';
import { ImageCheck } from '../../uptane/image-check.js';
import { isImage } from '../../uptane/image-download.js';
import { type InstalledImage } from '../../uptane/director/installed-image.js';
import { tooLong } from '../../uptane/checks/length.js';
import { type Subject } from '../../uptane/refusal.js';
import { moveFile, removeFile } from '../../uptane/store/durable-file.js';

export class ImageFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Whether the file is this image, by length and every hash. */
  is(image: InstalledImage): Promise<boolean> {
    return isImage(this.path, targetOf(image));
  }

  /** @throws Refusal `length`, `hash`; no file remains then */
  async take(image: InstalledImage, content: AsyncIterable<Uint8Array>): Promise<void> {
    const subject: Subject = { repository: 'director', role: image.path };
    const check = new ImageCheck(targetOf(image), subject);
    const unfinished = `${this.path}.part`;
    this.remove();
    const file = await open(unfinished, 'w', 0o600);
    try {
      let total = 0;
      for await (const bytes of content) {
        total += bytes.length;
        if (total > image.length) throw tooLong(subject, image.length);
        check.update(bytes);
        await file.writeFile(bytes);
      }
      check.finish();
      await file.sync();
    } catch (error) {
      await file.close();
      removeFile(unfinished);
      throw error;
    }
    await file.close();
    moveFile(unfinished, this.path);
  }

  remove(): void {
    removeFile(this.path);
  }
}

const targetOf = (image: InstalledImage) => ({ ...image, custom: undefined });
