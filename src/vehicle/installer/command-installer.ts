/** Real ECUs: a command of the vehicle manufacturer performs the installer's actions. */
import { resolve } from 'node:path';
import { type EcuUpdate } from '../../update-script/index.js';
import { type Installer } from '../update/equipment.js';
import { runCommand } from './run-command.js';

/**
 * The command is run with `OTAOPS_ACTION` (version, install, activate, check, confirm, revert), `OTAOPS_ECU`, and,
 * where known, `OTAOPS_VERSION`, `OTAOPS_SHA256` and `OTAOPS_FILE` (an absolute path). It exits with 0 when done; otherwise the last line
 * of its standard error is the reason. `version` prints the running version to standard output, or nothing if there is
 * no such ECU. Each action may be repeated after a power cut.
 */
export class CommandInstaller implements Installer {
  readonly #command: string;

  constructor(command: string) {
    this.#command = command;
  }

  async version(ecu: string): Promise<string | undefined> {
    const version = (await this.#run('version', { OTAOPS_ECU: ecu })).trim();
    return version === '' ? undefined : version;
  }

  async install(update: EcuUpdate, file: string, signal: AbortSignal): Promise<void> {
    await this.#run('install', { ...factsOf(update), OTAOPS_FILE: resolve(file) }, signal);
  }

  async activate(update: EcuUpdate): Promise<void> {
    await this.#run('activate', factsOf(update));
  }

  async check(ecu: string, signal: AbortSignal): Promise<void> {
    await this.#run('check', { OTAOPS_ECU: ecu }, signal);
  }

  async confirm(update: EcuUpdate): Promise<void> {
    await this.#run('confirm', factsOf(update));
  }

  async revert(update: EcuUpdate): Promise<void> {
    await this.#run('revert', factsOf(update));
  }

  #run(action: string, facts: Record<string, string>, signal?: AbortSignal): Promise<string> {
    return runCommand(this.#command, { OTAOPS_ACTION: action, ...facts }, signal);
  }
}

const factsOf = ({ ecu, version, artifact }: EcuUpdate) => ({
  OTAOPS_ECU: ecu,
  OTAOPS_VERSION: version,
  OTAOPS_SHA256: artifact.sha256,
});
