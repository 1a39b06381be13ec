/** Reads a PDF with poppler. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProgramMissing } from '../../src/test-bed/index.js';
import { ifInstalled, temporaryDirectory } from './servers.js';

/** Whether poppler's programs are installed. */
export const hasPoppler = await ifInstalled(() => {
  try {
    execFileSync('pdftotext', ['-v'], { stdio: 'ignore' });
    return Promise.resolve(true);
  } catch {
    throw new ProgramMissing('pdftotext', 'apt-get install poppler-utils');
  }
});

const fileOf = (pdf: Uint8Array): string => {
  const file = join(temporaryDirectory('pdf'), 'file.pdf');
  writeFileSync(file, pdf);
  return file;
};

const QUIET = { stdio: 'pipe', maxBuffer: 256 * 1024 * 1024 } as const;

/** The text of each page. */
export const pagesOf = (pdf: Uint8Array): string[] =>
  execFileSync('pdftotext', ['-raw', fileOf(pdf), '-'], QUIET)
    .toString()
    .split('\f')
    .slice(0, -1);

/** `Title`, `Pages` … */
export const infoOf = (pdf: Uint8Array): Record<string, string> =>
  Object.fromEntries(
    execFileSync('pdfinfo', [fileOf(pdf)], QUIET)
      .toString()
      .trim()
      .split('\n')
      .map((line) => {
        const [name = '', ...value] = line.split(':');
        return [name, value.join(':').trim()];
      }),
  );

/** Without white space, in which printed text differs from its source. */
export const squeezed = (text: string): string => text.replaceAll(/\s/g, '');
