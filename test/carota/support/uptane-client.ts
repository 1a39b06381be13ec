/** `otaops uptane-client` as a test's vehicle, provisioned with both roots. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../../support/run-command.js';
import { temporaryDirectory } from '../../support/servers.js';
import { type DirectorWorld, serveBoth, type TestEcu } from './test-director.js';

export interface ProvisionedClient {
  readonly vin: string;
  readonly ecus: readonly TestEcu[];
  readonly directorRoot: Uint8Array;
  readonly imageRoot: Uint8Array;
  readonly directorUrl: string;
  readonly imageUrl: string;
}

export async function newUptaneClient(client: ProvisionedClient) {
  const { vin, ecus, directorRoot, imageRoot, directorUrl, imageUrl } = client;
  const folder = temporaryDirectory('uptane-client');
  const images = join(folder, 'images');
  const file = (name: string, content: string | Uint8Array) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  /** The code of the refusal, or the result. */
  const run = async (...args: string[]): Promise<string> => {
    const { stdout } = await runCommand(['uptane-client', '--state', join(folder, 's'), ...args]);
    const outcome = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
    return outcome.code ?? outcome.result;
  };
  const vehicle = {
    vin,
    primary: 'P-1',
    ecus: ecus.map(({ serial, hardwareId }) => ({ ecu_id: serial, hardware_id: hardwareId })),
  };
  await run(
    ...['init', '--vehicle', file('vehicle.json', JSON.stringify(vehicle))],
    ...['--director-root', file('director-root.json', directorRoot)],
    ...['--image-root', file('image-root.json', imageRoot)],
  );
  return {
    update: () =>
      run(
        ...['update', '--director-url', directorUrl, '--image-url', imageUrl],
        ...['--images-dir', images],
      ),
    image: (serial: string) => readFileSync(join(images, serial), 'utf8'),
  };
}

/** A vehicle's client, provisioned with both roots of the world. */
export async function newClientIn(world: DirectorWorld, vin: string, ecus: readonly TestEcu[]) {
  const site = await serveBoth(world);
  const client = await newUptaneClient({
    vin,
    ecus,
    directorRoot: world.rootFile,
    imageRoot: world.repository.rootBytes,
    ...site,
  });
  return { ...client, close: () => site.close() };
}
