/** `otaops operations`: progress, failures and control of operations. */
import { type Command } from 'commander';
import { controlCommands } from './control.js';
import { explainCommands } from './explain.js';
import { lookThroughCommands } from './look-through.js';
import { watchCommands } from './watch.js';

export function operationsCommand(program: Command): void {
  const operations = program
    .command('operations')
    .description('show progress and failures of operations, and control them');
  watchCommands(operations);
  explainCommands(operations);
  lookThroughCommands(operations);
  controlCommands(operations);
}
