/** The command `otaops` with all its subcommands and exit codes. */
import { Command, CommanderError } from 'commander';
import { ApiError, NoAnswer } from '../contract/index.js';
import { BadSettings } from '../service/bad-settings.js';
import { VERSION } from '../service/version.js';
import { completionCommand } from './commands/completion.js';
import { printError } from './output.js';
import { faultText } from './server-client.js';
import {
  applyConfigFile,
  applySecretFiles,
  areAllLoaded,
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

/** Adds a command to the program. */
type AddCommand = (program: Command) => void;

/** The commands by name, in the order of the help. Loading all their modules takes longer than most of their work. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  quickstart: async () => (await import('./commands/quickstart.js')).quickstartCommand,
  serve: async () => (await import('./commands/serve.js')).serveCommand,
  carota: async () => (await import('./commands/carota.js')).carotaCommand,
  trigger: async () => (await import('./commands/trigger.js')).triggerCommand,
  operations: async () => (await import('./commands/operations/index.js')).operationsCommand,
  events: async () => (await import('./commands/events.js')).eventsCommand,
  vehicles: async () => (await import('./commands/vehicles.js')).vehiclesCommand,
  'dead-letters': async () => (await import('./commands/dead-letters.js')).deadLettersCommand,
  callbacks: async () => (await import('./commands/callbacks.js')).callbacksCommand,
  rate: async () => (await import('./commands/rate.js')).rateCommand,
  token: async () => (await import('./commands/token.js')).tokenCommand,
  artifacts: async () => (await import('./commands/artifacts.js')).artifactsCommand,
  scripts: async () => (await import('./commands/scripts.js')).scriptsCommand,
  dossier: async () => (await import('./commands/dossier/index.js')).dossierCommand,
  audit: async () => (await import('./commands/audit.js')).auditCommand,
  doctor: async () => (await import('./commands/doctor.js')).doctorCommand,
  vehicle: async () => (await import('./commands/vehicle.js')).vehicleCommand,
  secondary: async () => (await import('./commands/secondary.js')).secondaryCommand,
  simulate: async () => (await import('./commands/simulate.js')).simulateCommand,
  bench: async () => (await import('./commands/bench.js')).benchCommand,
  keys: async () => (await import('./commands/keys.js')).keysCommand,
  repository: async () => (await import('./commands/repository/index.js')).repositoryCommand,
  signer: async () => (await import('./commands/signer.js')).signerCommand,
  'tuf-client': async () => (await import('./commands/tuf-client.js')).tufClientCommand,
  'uptane-client': async () => (await import('./commands/uptane-client.js')).uptaneClientCommand,
};

/**
 * Runs one command to completion.
 *
 * @param args without the program's name, e.g. `['rate', '500']`
 * @returns the exit code; errors are printed, not thrown
 */
export async function run(args: readonly string[]): Promise<number> {
  try {
    await (await program(args)).parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    return exitCodeOf(error);
  }
}

/** Has the command that the arguments start with; all commands for help, completion and an unknown name. */
async function program([first = '']: readonly string[]): Promise<Command> {
  const root = new Command('otaops')
    .description('OTA Operations: runs over-the-air update campaigns for vehicles')
    .version(VERSION)
    .option('--config <file>', 'YAML file with settings (env: OTAOPS_CONFIG)')
    .showHelpAfterError('(see otaops --help)')
    .hook('preAction', async (_program, command) => {
      const { config } = command.optsWithGlobals<{ config?: string }>();
      const path = config ?? process.env.OTAOPS_CONFIG;
      const file = path === undefined ? undefined : await readConfigFile(path);
      // The settings of other commands are known once these are loaded.
      if (!areAllLoaded(process.env, file)) await addCommands(new Command(), ALL);
      refuseUnknownVariables(process.env);
      if (file) applyConfigFile(command, file);
      await applySecretFiles(command);
    })
    .exitOverride();
  await addCommands(root, Object.hasOwn(COMMANDS, first) ? [first] : ALL);
  completionCommand(root);
  for (const command of root.commands) inheritSettings(command, root);
  return root;
}

const ALL = Object.keys(COMMANDS);

async function addCommands(root: Command, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const add = await COMMANDS[name]?.();
    add?.(root);
  }
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
