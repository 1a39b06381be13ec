/** A wrong clock for a process: libfaketime, adjustable while the process runs. */
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProgramMissing } from '../../src/test-bed/index.js';
import { ifInstalled, temporaryDirectory } from './servers.js';

const FOLDERS = ['/usr/lib', ...under('/usr/lib')].map((folder) => join(folder, 'faketime'));

function under(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

/** Outside CI, undefined if libfaketime is not installed. */
export const faketimeLibrary = await ifInstalled(() => {
  const library = FOLDERS.map((folder) => join(folder, 'libfaketime.so.1')).find(existsSync);
  if (library === undefined) throw new ProgramMissing('faketime', 'apt-get install faketime');
  return Promise.resolve(library);
});

export class FakeClock {
  readonly #directory = temporaryDirectory('clock');
  readonly #file = join(this.#directory, 'faketime');

  /** @param seconds ahead; negative: behind */
  constructor(seconds: number) {
    this.set(seconds);
  }

  set(seconds: number): void {
    writeFileSync(this.#file, `${seconds < 0 ? '' : '+'}${seconds}s\n`);
  }

  /** Environment of the process. Its monotonic clock stays correct, as on a real machine. */
  get environment(): Record<string, string> {
    return {
      LD_PRELOAD: faketimeLibrary ?? '',
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
