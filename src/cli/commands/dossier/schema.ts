/** `otaops dossier schema`: the JSON Schema of a line. */
import { type Command } from 'commander';
import { DossierLine } from '../../../contract/carota-api/index.js';
import { printJson } from '../../output.js';

export function schemaCommand(dossier: Command): void {
  dossier
    .command('schema')
    .description('print the JSON Schema of a line of a dossier')
    .action(() =>
      printJson({ $schema: 'https://json-schema.org/draft/2020-12/schema', ...DossierLine }),
    );
}
