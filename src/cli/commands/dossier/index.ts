/** `otaops dossier`: the record of a campaign that a regulator reads. */
import { type Command } from 'commander';
import { exportCommand } from './export.js';
import { schemaCommand } from './schema.js';
import { verifyCommand } from './verify.js';

export function dossierCommand(program: Command): void {
  const dossier = program
    .command('dossier')
    .description('the record of a campaign: export, verify, print its schema');
  exportCommand(dossier);
  verifyCommand(dossier);
  schemaCommand(dossier);
}
