#!/usr/bin/env node
/** The command `otaops`. */
import { Command, CommanderError } from 'commander';
import { VERSION } from '../service/version.js';
import { AdapterUnreachable, RequestRefused } from './adapter-client.js';
import { benchCommand } from './commands/bench.js';
import { callbacksCommand } from './commands/callbacks.js';
import { carotaCommand } from './commands/carota.js';
import { completionCommand } from './commands/completion.js';
import { deadLettersCommand } from './commands/dead-letters.js';
import { doctorCommand } from './commands/doctor.js';
import { eventsCommand } from './commands/events.js';
import { operationsCommand } from './commands/operations/index.js';
import { quickstartCommand } from './commands/quickstart.js';
import { rateCommand } from './commands/rate.js';
import { serveCommand } from './commands/serve.js';
import { simulateCommand } from './commands/simulate.js';
import { tokenCommand } from './commands/token.js';
import { triggerCommand } from './commands/trigger.js';
import { vehicleCommand } from './commands/vehicle.js';
import { vehiclesCommand } from './commands/vehicles.js';
import { printError } from './output.js';
import {
  applyConfigFile,
  BadConfigFile,
  BadSetting,
  readConfigFile,
  refuseUnknownVariables,
} from './settings/index.js';

/**
 * Exit codes: 0 done, 1 failed, 2 wrong use or setting, 3 the adapter has refused (not found, not
 * allowed, conflict …), 4 no adapter answers.
 */
const FAILED = 1;
const WRONG_USE = 2;
const REFUSED = 3;
const UNREACHABLE = 4;

const program = new Command('otaops')
  .description('OTA Operations: runs over-the-air update campaigns for vehicles')
  .version(VERSION)
  .option('--config <file>', 'YAML file with settings (env: OTAOPS_CONFIG)')
  .showHelpAfterError('(see otaops --help)')
  .hook('preAction', async (_program, command) => {
    refuseUnknownVariables(process.env);
    const path = command.optsWithGlobals<{ config?: string }>().config ?? process.env.OTAOPS_CONFIG;
    if (path !== undefined) applyConfigFile(command, await readConfigFile(path));
  })
  .exitOverride();

quickstartCommand(program);
serveCommand(program);
carotaCommand(program);
triggerCommand(program);
operationsCommand(program);
eventsCommand(program);
vehiclesCommand(program);
deadLettersCommand(program);
callbacksCommand(program);
rateCommand(program);
tokenCommand(program);
doctorCommand(program);
vehicleCommand(program);
simulateCommand(program);
benchCommand(program);
completionCommand(program);
for (const command of program.commands) inheritExitOverride(command);

try {
  await program.parseAsync();
  process.exit(0);
} catch (error) {
  process.exit(exitCodeOf(error));
}

function inheritExitOverride(command: Command): void {
  command.copyInheritedSettings(program);
  for (const subcommand of command.commands) inheritExitOverride(subcommand);
}

function exitCodeOf(error: unknown): number {
  // Commander has told what is wrong already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USE;
  printError(`otaops: ${(error as Error).message}`);
  if (error instanceof BadSetting || error instanceof BadConfigFile) return WRONG_USE;
  if (error instanceof RequestRefused) return REFUSED;
  return error instanceof AdapterUnreachable ? UNREACHABLE : FAILED;
}
