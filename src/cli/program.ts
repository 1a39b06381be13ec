/** The command `otaops` with all its subcommands and exit codes. */
import { Command, CommanderError } from 'commander';
import { ApiError, NoAnswer } from '../contract/index.js';
import { BadSettings } from '../service/bad-settings.js';
import { VERSION } from '../service/version.js';
import { artifactsCommand } from './commands/artifacts.js';
import { auditCommand } from './commands/audit.js';
import { benchCommand } from './commands/bench.js';
import { callbacksCommand } from './commands/callbacks.js';
import { carotaCommand } from './commands/carota.js';
import { completionCommand } from './commands/completion.js';
import { deadLettersCommand } from './commands/dead-letters.js';
import { dossierCommand } from './commands/dossier/index.js';
import { doctorCommand } from './commands/doctor.js';
import { eventsCommand } from './commands/events.js';
import { keysCommand } from './commands/keys.js';
import { operationsCommand } from './commands/operations/index.js';
import { quickstartCommand } from './commands/quickstart.js';
import { rateCommand } from './commands/rate.js';
import { repositoryCommand } from './commands/repository/index.js';
import { scriptsCommand } from './commands/scripts.js';
import { secondaryCommand } from './commands/secondary.js';
import { serveCommand } from './commands/serve.js';
import { signerCommand } from './commands/signer.js';
import { simulateCommand } from './commands/simulate.js';
import { tokenCommand } from './commands/token.js';
import { triggerCommand } from './commands/trigger.js';
import { tufClientCommand } from './commands/tuf-client.js';
import { uptaneClientCommand } from './commands/uptane-client.js';
import { vehicleCommand } from './commands/vehicle.js';
import { vehiclesCommand } from './commands/vehicles.js';
import { printError } from './output.js';
import { faultText } from './server-client.js';
import {
  applyConfigFile,
  applySecretFiles,
  readConfigFile,
  refuseUnknownVariables,
} from './settings/index.js';
import { UsageError } from './usage-error.js';

/**
 * Exit codes: 0 success, 1 failure, 2 wrong usage or setting, 3 rejected by the server (not found, not
 * allowed, conflict …), 4 server unreachable.
 */
const FAILED = 1;
const WRONG_USE = 2;
const REFUSED = 3;
const UNREACHABLE = 4;

/**
 * Runs one command to completion.
 *
 * @param args without the program's name, e.g. `['rate', '500']`
 * @returns the exit code; errors are printed, not thrown
 */
export async function run(args: readonly string[]): Promise<number> {
  try {
    await program().parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    return exitCodeOf(error);
  }
}

function program(): Command {
  const root = new Command('otaops')
    .description('OTA Operations: runs over-the-air update campaigns for vehicles')
    .version(VERSION)
    .option('--config <file>', 'YAML file with settings (env: OTAOPS_CONFIG)')
    .showHelpAfterError('(see otaops --help)')
    .hook('preAction', async (_program, command) => {
      refuseUnknownVariables(process.env);
      const { config } = command.optsWithGlobals<{ config?: string }>();
      const path = config ?? process.env.OTAOPS_CONFIG;
      if (path !== undefined) applyConfigFile(command, await readConfigFile(path));
      await applySecretFiles(command);
    })
    .exitOverride();
  quickstartCommand(root);
  serveCommand(root);
  carotaCommand(root);
  triggerCommand(root);
  operationsCommand(root);
  eventsCommand(root);
  vehiclesCommand(root);
  deadLettersCommand(root);
  callbacksCommand(root);
  rateCommand(root);
  tokenCommand(root);
  artifactsCommand(root);
  scriptsCommand(root);
  dossierCommand(root);
  auditCommand(root);
  doctorCommand(root);
  vehicleCommand(root);
  secondaryCommand(root);
  simulateCommand(root);
  benchCommand(root);
  keysCommand(root);
  repositoryCommand(root);
  signerCommand(root);
  tufClientCommand(root);
  uptaneClientCommand(root);
  completionCommand(root);
  for (const command of root.commands) inheritSettings(command, root);
  return root;
}

function inheritSettings(command: Command, root: Command): void {
  command.copyInheritedSettings(root);
  for (const subcommand of command.commands) inheritSettings(subcommand, root);
}

function exitCodeOf(error: unknown): number {
  // Commander has already printed the error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USE;
  printError(`otaops: ${faultText(error as Error)}`);
  if (error instanceof UsageError || error instanceof BadSettings) return WRONG_USE;
  if (error instanceof ApiError) return REFUSED;
  return error instanceof NoAnswer ? UNREACHABLE : FAILED;
}
