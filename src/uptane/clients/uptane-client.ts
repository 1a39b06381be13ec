/**
 * A file-based Uptane client of a vehicle, for external tests (POUF, section 8). It verifies like the Primary; installing
 * means writing one file per ECU.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { POUF } from '../checks/sections.js';
import { type Assignment, checkDirectorTargets } from '../director/check-director-targets.js';
import { type Vehicle } from '../director/vehicle.js';
import { verifyFully } from '../full-verification.js';
import { readRoot } from '../metadata/root.js';
import { Refusal } from '../refusal.js';
import { RepositoryClient } from '../repository-client.js';
import { DIRECTOR, IMAGE_REPOSITORY } from '../rules.js';
import { readIfThere, removeFile, replaceFile } from '../store/durable-file.js';
import { FileMetadataStore } from '../store/file-metadata-store.js';
import { HttpFetcher } from '../transfer/http-fetcher.js';
import { ImageFiles } from './image-files.js';
import { InstalledImages } from './installed-images.js';
import { readVehicle } from './vehicle-file.js';

export interface Provisioning {
  readonly stateDirectory: string;
  readonly vehicleFile: string;
  readonly directorRootFile: string;
  readonly imageRootFile: string;
}

export interface UpdateCycle {
  readonly stateDirectory: string;
  /** Without the VIN. */
  readonly directorUrl: URL;
  readonly imageUrl: URL;
  readonly imagesDirectory: string;
}

/** Layout of the state directory. */
const paths = (stateDirectory: string) => ({
  /** Written last: its presence means that the vehicle is provisioned. */
  vehicle: join(stateDirectory, 'vehicle.json'),
  director: join(stateDirectory, 'director'),
  image: join(stateDirectory, 'image'),
  installed: join(stateDirectory, 'installed.json'),
  downloads: join(stateDirectory, 'downloads'),
});

/**
 * Provisions a vehicle, replacing the previous one. The given roots are trusted.
 *
 * @throws Refusal if a file is invalid; nothing is then changed
 */
export async function initVehicle(provisioning: Provisioning): Promise<Vehicle> {
  const { vehicleFile, directorRootFile, imageRootFile, stateDirectory } = provisioning;
  const [vehicleBytes, directorRoot, imageRoot] = await Promise.all([
    readFile(vehicleFile),
    readFile(directorRootFile),
    readFile(imageRootFile),
  ]);
  const vehicle = readVehicle(vehicleBytes);
  readRoot(directorRoot, { repository: 'director', role: 'root' }, DIRECTOR);
  readRoot(imageRoot, { repository: 'image', role: 'root' }, IMAGE_REPOSITORY);
  const state = paths(stateDirectory);
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
  removeFile(state.vehicle);
  for (const path of [state.director, state.image, state.installed, state.downloads]) {
    rmSync(path, { recursive: true, force: true });
  }
  new FileMetadataStore(state.director).write('root', directorRoot);
  new FileMetadataStore(state.image).write('root', imageRoot);
  replaceFile(state.vehicle, vehicleBytes);
  return vehicle;
}

/**
 * One cycle: verifies metadata, fetches all images, and installs them only if all are valid.
 *
 * @returns the installed images, possibly none
 * @throws Refusal; the images are then unchanged
 */
export async function updateVehicle(cycle: UpdateCycle): Promise<readonly Assignment[]> {
  const { stateDirectory, directorUrl, imageUrl, imagesDirectory } = cycle;
  const now = new Date();
  const state = paths(stateDirectory);
  const vehicle = provisionedVehicle(state.vehicle);
  const images = new ImageFiles({
    fetcher: new HttpFetcher(below(imageUrl, 'targets')),
    downloads: state.downloads,
    directory: imagesDirectory,
  });
  const installed = new InstalledImages(state.installed);
  await installed.resolve((ecuId, image) => images.has(ecuId, image));
  const assignments = await verifyFully({
    director: new RepositoryClient({
      name: 'director',
      rules: DIRECTOR,
      fetcher: new HttpFetcher(below(directorUrl, encodeURIComponent(vehicle.vin))),
      store: new FileMetadataStore(state.director),
      now,
    }),
    image: new RepositoryClient({
      name: 'image',
      rules: IMAGE_REPOSITORY,
      fetcher: new HttpFetcher(below(imageUrl, 'metadata')),
      store: new FileMetadataStore(state.image),
      now,
    }),
    assignmentsOf: (targets) => checkDirectorTargets(targets, vehicle),
    installed: installed.images,
  });
  await images.download(assignments);
  for (const assignment of assignments) {
    installed.begin(assignment);
    images.install(assignment);
    installed.end(assignment);
  }
  images.clear();
  return assignments;
}

function provisionedVehicle(path: string): Vehicle {
  const bytes = readIfThere(path);
  if (bytes !== undefined) return readVehicle(bytes);
  throw new Refusal(
    { repository: 'local', role: 'state' },
    { code: 'storage', check: POUF.client, fault: 'no vehicle is provisioned: init comes first' },
  );
}

/** A URL below another one, which may or may not end with `/`. */
function below(url: URL, path: string): URL {
  const base = new URL(url);
  base.pathname = `${base.pathname.replace(/\/$/, '')}/${path}`;
  return base;
}
