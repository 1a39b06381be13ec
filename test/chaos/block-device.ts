/** A private disk for a test: an ext4 file system in an image file. The test can cut its power. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readlinkSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryDirectory } from '../support/servers.js';

const UNMOUNT_TRIES = 300;
const UNMOUNT_PAUSE_MS = 100;

/**
 * EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH (fs/ext4/ext4.h), which the file system's own tests use as a
 * power cut: from that moment nothing reaches the device, and everything that was only in memory is lost.
 */
const CUT = `
open(my $folder, '<', $ARGV[0]) or die "$ARGV[0]: $!";
my $flags = pack('L', 2);
ioctl($folder, 0x8004587d, $flags) or die "EXT4_IOC_SHUTDOWN: $!";
`;

export class BlockDevice {
  readonly #directory = temporaryDirectory('device');
  readonly #image = join(this.#directory, 'image');
  /** Mount point. */
  readonly folder = join(this.#directory, 'mounted');

  /** @param megabytes size of the device; the image file is sparse */
  constructor(megabytes: number) {
    execFileSync('truncate', ['--size', `${megabytes}M`, this.#image]);
    execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', this.#image]);
    mkdirSync(this.folder);
    this.mount();
  }

  mount(): void {
    execFileSync('mount', ['-o', 'loop', this.#image, this.folder]);
  }

  /** What was written to it, or deleted on it, survives a power cut. */
  sync(): void {
    execFileSync('sync', ['--file-system', this.folder]);
  }

  /** Also kills the processes on the device: a database that shuts down cleanly would wait for a disk that is gone. */
  cutPower(): void {
    execFileSync('perl', ['-e', CUT, this.folder]);
    for (const pid of this.#processes()) endProcess(pid);
  }

  /** Processes with a working directory on the device, as PostgreSQL's have. */
  #processes(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => workingDirectory(pid).startsWith(`${this.folder}/`));
  }

  /** Waits until no process uses the device. */
  async unmount(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        execFileSync('umount', [this.folder], { stdio: 'pipe' });
        return;
      } catch (error) {
        if (tries === UNMOUNT_TRIES) throw error;
        await sleep(UNMOUNT_PAUSE_MS);
      }
    }
  }

  async remove(): Promise<void> {
    await this.unmount();
    rmSync(this.#directory, { recursive: true });
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The process exited together with an earlier one.
  }
}

/** @returns an empty text if the process has exited or belongs to another user */
function workingDirectory(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

/**
 * Fills the remaining space of a file system.
 *
 * @returns the file that takes up the space; delete it to free the space
 */
export function fill(folder: string): string {
  const file = join(folder, 'ballast');
  const { bavail, bsize } = statfsSync(folder);
  for (let bytes = bavail * bsize; bytes > 4_096; bytes = Math.floor(bytes / 2)) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(Math.min(bytes, 8_000_000)), { flag: 'a' });
    } catch {
      // Smaller chunks may still fit.
    }
  }
  return file;
}
