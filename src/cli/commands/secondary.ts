/** `otaops secondary`: the reference Secondary, an ECU in a separate process. */
import { readFile } from 'node:fs/promises';
import { type Command } from 'commander';
import { type Logger } from 'pino';
import { serviceLog } from '../log.js';
import { print, printJson } from '../output.js';
import {
  addSettings,
  BadSetting,
  HEALTH_COMMAND,
  INSTALLER_COMMAND,
  LOG_LEVEL,
  SECONDARY_DIR,
  SOCKET,
} from '../settings/index.js';
import { stopRequested } from '../stop-signals.js';
import { initialTrust, provisionCommand, type TrustFlags } from './provision.js';

interface SecondaryFlags {
  readonly secondaryDir?: string;
  readonly socket?: string;
  readonly installerCommand?: string;
  readonly healthCommand?: string;
  readonly logLevel: string;
}

export function secondaryCommand(program: Command): void {
  const command = program
    .command('secondary')
    .description('run an ECU that itself verifies the files from its Primary')
    .addHelpText(
      'after',
      `
Example:
  otaops secondary --secondary-dir tcu provision --ecu tcu.json --director-root director.root.json \\
    --image-root image.root.json --time-key time-key.json
  otaops secondary --secondary-dir tcu`,
    );
  addSettings(command, [SECONDARY_DIR, SOCKET, INSTALLER_COMMAND, HEALTH_COMMAND, LOG_LEVEL]);
  command.action(async (flags: SecondaryFlags) => {
    const stopping = stopRequested();
    await run(flags, serviceLog(flags.logLevel), stopping);
  });
  provisionCommand(command, 'the ECU and its key', [
    '--ecu <file>',
    'JSON: VIN, serial, name, hardwareId; see docs/vehicle.md',
  ]).action(async ({ ecu, ...trust }: TrustFlags & { ecu: string }) => {
    const { provisionSecondary } = await import('../../vehicle/index.js');
    const directory = directoryOf(command.opts<SecondaryFlags>());
    printJson(provisionSecondary(directory, await readFile(ecu), await initialTrust(trust)));
  });
}

async function run(flags: SecondaryFlags, log: Logger, stopping: Promise<string>): Promise<void> {
  const { openFileSecondary, secondaryFiles, serveSecondary } =
    await import('../../vehicle/index.js');
  const { openDataDirectory } = await import('../../service/data-directory/data-directory.js');
  const directory = directoryOf(flags);
  const lock = await openDataDirectory(directory);
  const path = flags.socket ?? secondaryFiles(directory).socket;
  const { secondary, identity } = openFileSecondary({
    directory,
    installerCommand: flags.installerCommand,
    healthCommand: flags.healthCommand,
    onRefused: (refusal) => log.warn({ err: refusal, attack: refusal.attack }, 'refused'),
  });
  const served = await serveSecondary(secondary, {
    path,
    onFailure: (call, error) => log.warn({ call, err: error }, 'call failed'),
  });
  print(`ECU ${identity.name} (${identity.serial}) of ${identity.vin} listens at ${path}.`);
  const signal = await stopping;
  await served.close();
  lock.release();
  log.info({ signal }, 'stopped');
}

/** @throws BadSetting */
function directoryOf({ secondaryDir }: SecondaryFlags): string {
  if (secondaryDir === undefined) throw new BadSetting(`${SECONDARY_DIR.flag} is required`);
  return secondaryDir;
}
