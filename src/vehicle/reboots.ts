/** Ways to restart a vehicle. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand } from './installer/index.js';
import { type Reboot } from './update/equipment.js';

/** For ECUs that restart by themselves when their slot is switched. */
export class NoReboot implements Reboot {
  bootId(): Promise<string> {
    return Promise.resolve('');
  }

  restart(): Promise<void> {
    return Promise.resolve();
  }
}

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
/** The command that should have restarted the vehicle did not. */
const PATIENCE_MS = 10 * 60 * 1000;

/** Restarts the agent's computer by a command; its system starts the agent again. */
export class CommandReboot implements Reboot {
  readonly #command: string;
  readonly #bootIdFile: string;

  /** @param bootIdFile file whose content differs between boots */
  constructor(command: string, bootIdFile = BOOT_ID) {
    this.#command = command;
    this.#bootIdFile = bootIdFile;
  }

  async bootId(): Promise<string> {
    return (await readFile(this.#bootIdFile, 'utf8')).trim();
  }

  async restart(signal: AbortSignal): Promise<void> {
    await runCommand(this.#command, { OTAOPS_ACTION: 'reboot' }, signal);
    await sleep(PATIENCE_MS, undefined, { signal });
    throw new Error(`the vehicle did not restart in ${PATIENCE_MS / 60_000} minutes`);
  }
}
