#!/usr/bin/env node
/** The command `otaops`. */
import { Command, CommanderError } from 'commander';
import { VERSION } from '../adapter/index.js';
import { benchCommand } from './commands/bench.js';
import { quickstartCommand } from './commands/quickstart.js';
import { serveCommand } from './commands/serve.js';
import { simulateCommand } from './commands/simulate.js';
import { tokenCommand } from './commands/token.js';
import { printError } from './output.js';
import { BadSetting, refuseUnknownVariables } from './settings.js';

/** Exit codes: 0 done, 1 failed, 2 wrong use or setting. */
const FAILED = 1;
const WRONG_USE = 2;

const program = new Command('otaops')
  .description('OTA Operations: runs over-the-air update campaigns for vehicles')
  .version(VERSION)
  .showHelpAfterError('(see otaops --help)')
  .hook('preAction', () => refuseUnknownVariables(process.env))
  .exitOverride();

quickstartCommand(program);
serveCommand(program);
simulateCommand(program);
tokenCommand(program);
benchCommand(program);
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
  return error instanceof BadSetting ? WRONG_USE : FAILED;
}
