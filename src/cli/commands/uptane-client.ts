/** `otaops uptane-client`: a file-based Uptane client of a vehicle, for external tests (POUF, section 8). */
import { type Command } from 'commander';
import { print } from '../output.js';
import { option } from '../options.js';
import { parseUrl } from '../settings/parsers.js';

const parseHttpUrl = parseUrl('http:', 'https:');

interface InitFlags {
  readonly vehicle: string;
  readonly directorRoot: string;
  readonly imageRoot: string;
}

interface UpdateFlags {
  readonly directorUrl: string;
  readonly imageUrl: string;
  readonly imagesDir: string;
}

/** The last line on standard output. */
interface Outcome {
  readonly result: 'updated' | 'no-update' | 'refused';
  readonly code?: string;
  readonly message: string;
}

export function uptaneClientCommand(program: Command): void {
  const command = program
    .command('uptane-client')
    .description('Uptane client for conformance tests: one vehicle, an image file per ECU')
    .requiredOption('--state <folder>', 'directory of metadata and installation records')
    .addHelpText(
      'after',
      `
Exit code 0: done, or nothing to do; 1: refused. The last line on standard output is JSON.

Example:
  otaops uptane-client --state s init --vehicle v.json --director-root d.json --image-root i.json
  otaops uptane-client --state s update --director-url http://127.0.0.1:8000/director \\
    --image-url http://127.0.0.1:8000/image --images-dir images`,
    );
  const state = () => command.opts<{ state: string }>().state;
  command
    .command('init')
    .description('provision a vehicle, replacing the previous one')
    .requiredOption('--vehicle <file>', 'JSON with VIN and ECUs')
    .requiredOption('--director-root <file>', 'root of the Director to trust')
    .requiredOption('--image-root <file>', 'root of the image repository to trust')
    .action((flags: InitFlags) =>
      report(async () => {
        const { initVehicle } = await import('../../uptane/index.js');
        const { vin, ecus } = await initVehicle({
          stateDirectory: state(),
          vehicleFile: flags.vehicle,
          directorRootFile: flags.directorRoot,
          imageRootFile: flags.imageRoot,
        });
        return { result: 'no-update', message: `provisioned ${vin} with ${ecus.size} ECUs` };
      }),
    );
  command
    .command('update')
    .description('run one cycle: verify metadata, fetch and install images')
    .addOption(
      option('--director-url <url>', 'URL of the Director', parseHttpUrl).makeOptionMandatory(),
    )
    .addOption(
      option(
        '--image-url <url>',
        'URL of the image repository',
        parseHttpUrl,
      ).makeOptionMandatory(),
    )
    .requiredOption('--images-dir <folder>', 'directory of the ECUs’ images')
    .action((flags: UpdateFlags) =>
      report(async () => {
        const { updateVehicle } = await import('../../uptane/index.js');
        const installed = await updateVehicle({
          stateDirectory: state(),
          directorUrl: new URL(flags.directorUrl),
          imageUrl: new URL(flags.imageUrl),
          imagesDirectory: flags.imagesDir,
        });
        return installed.length === 0
          ? { result: 'no-update', message: 'nothing to do' }
          : {
              result: 'updated',
              message: installed
                .map(({ ecuId, target }) => `${ecuId} has ${target.path}`)
                .join(', '),
            };
      }),
    );
}

async function report(work: () => Promise<Outcome>): Promise<void> {
  try {
    printOutcome(await work());
  } catch (error) {
    const { Refusal } = await import('../../uptane/index.js');
    const { message } = error as Error;
    // Any other error concerns the client's own files or disk.
    const code = error instanceof Refusal ? error.code : 'storage';
    printOutcome({ result: 'refused', code, message });
    throw error;
  }
}

const printOutcome = (outcome: Outcome) => print(JSON.stringify(outcome));
