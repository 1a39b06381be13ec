/** Opens the Director, with its keys in a folder or in a signer process. */
import { join, resolve } from 'node:path';
import { type Database } from '../service/database/index.js';
import { type OpenedParts } from '../service/opened.js';
import { SignerClient } from '../uptane/signing/index.js';
import { Director, openDirectorKeys, TIME_KEYS } from './director/index.js';
import { RepositoryFolder } from './images/index.js';
import { type CarotaMetrics } from './metrics.js';
import { type CarotaSettings } from './settings.js';

interface DirectorContext {
  readonly database: Database;
  /** The image repository's folder, absolute. */
  readonly imageFolder: string;
  /** ms */
  readonly clock: () => number;
  /** ms. Throws while the time is in doubt. */
  readonly signingTime: () => number;
  readonly metrics: CarotaMetrics;
  readonly opened: OpenedParts;
}

export interface OpenedDirector {
  readonly director: Director;
  readonly rootExpires: Date;
  /** The root, if the keys were generated here. */
  readonly rootFile: string | undefined;
  /** The keys that sign the time, if they were generated here. */
  readonly timeKeysFile: string | undefined;
}

/** @throws BadDirectorKeys, KeyFileFault, DatabaseError; SignerProcessFault */
export async function openDirector(
  settings: CarotaSettings,
  { database, imageFolder, clock, signingTime, metrics, opened }: DirectorContext,
): Promise<OpenedDirector> {
  const folder = resolve(settings.directorDir ?? join(settings.dataDir, 'director'));
  const signer = settings.directorSigner ? new SignerClient(settings.directorSigner) : undefined;
  opened.add('signer', () => signer?.close());
  const keys = await openDirectorKeys(database, folder, clock(), await signer?.signers());
  metrics.directorRootExpires(keys.rootExpires);
  const director = new Director({
    database,
    keys,
    folder,
    catalogue: new RepositoryFolder(imageFolder),
    clock: signingTime,
    onManifest: (outcome) => metrics.manifestReceived(outcome),
    onEcu: (standing) => metrics.ecuReported(standing),
    onAttack: (attack) => metrics.attackReported(attack),
    onSigned: (role) => metrics.metadataSigned(role),
  });
  const trialFile = (name: string) => (keys.isTrial ? join(folder, 'metadata', name) : undefined);
  return {
    director,
    rootExpires: keys.rootExpires,
    rootFile: trialFile('1.root.json'),
    timeKeysFile: trialFile(TIME_KEYS),
  };
}
