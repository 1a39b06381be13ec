/** `otaops operations`: where operations stand, why vehicles failed, and control of them. */
import { type Command } from 'commander';
import { controlCommands } from './control.js';
import { explainCommands } from './explain.js';
import { lookThroughCommands } from './look-through.js';
import { watchCommands } from './watch.js';

export function operationsCommand(program: Command): void {
  const operations = program
    .command('operations')
    .description('where operations stand, why vehicles failed, and control of them');
  watchCommands(operations);
  explainCommands(operations);
  lookThroughCommands(operations);
  controlCommands(operations);
}
