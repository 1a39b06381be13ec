/** The Director repository of the CarOTA Server (Uptane, "Director repository"), as its routes use it. */
import { type DirectorRepositoryStatus } from '../../contract/carota-api/index.js';
import { Batches } from '../../service/batches.js';
import { type Database } from '../../service/database/index.js';
import { signMetadata, writeEnvelope } from '../../uptane/signing/sign.js';
import { readTimeRequest, timePayload } from '../../uptane/time/signed-time.js';
import { type ImageCatalogue, repositoryMark } from '../images/index.js';
import { findScript, type StoredScript, storedScript } from '../scripts/index.js';
import { type DirectorKeys } from './director-keys.js';
import { Manifests, type ManifestsOptions } from './manifests.js';
import { directorStatus } from './repository-status.js';
import { Standings, type VehicleStanding } from './standing.js';
import { STATEMENTS } from './statements.js';
import {
  UnknownVehicle,
  VehicleMetadata,
  type VehicleMetadataOptions,
} from './vehicle-metadata.js';

export interface DirectorOptions
  extends
    Pick<ManifestsOptions, 'onManifest' | 'onEcu' | 'onAttack'>,
    Pick<VehicleMetadataOptions, 'onSigned'> {
  readonly database: Database;
  readonly keys: DirectorKeys;
  /** Folder of its roots and their ceremonies. */
  readonly folder: string;
  readonly catalogue: ImageCatalogue;
  /** ms. Throws while the time is in doubt; then nothing is signed, and no report is judged by its age. */
  readonly clock: () => number;
}

export class Director {
  readonly manifests: Manifests;
  readonly metadata: VehicleMetadata;
  readonly #options: DirectorOptions;
  readonly #standings: Batches<string, VehicleStanding | undefined>;
  /** Scripts never change. */
  readonly #scripts = new Map<string, StoredScript>();

  constructor(options: DirectorOptions) {
    this.#options = options;
    const { database } = options;
    const standings = new Standings(database);
    this.#standings = new Batches((vins) => standings.read(vins), STATEMENTS);
    const standingOf = (vin: string) => this.standingOf(vin);
    const scriptOf = (scriptRefId: string) => this.#scriptOf(scriptRefId);
    this.metadata = new VehicleMetadata({ ...options, standingOf, scriptOf });
    const dueOf = (vehicle: VehicleStanding) => this.metadata.due(vehicle);
    this.manifests = new Manifests({ ...options, standingOf, dueOf });
  }

  /** The current state. */
  standingOf(vin: string): Promise<VehicleStanding | undefined> {
    return this.#standings.do(vin);
  }

  /** `N.root.json`, the same for all vehicles. */
  root(version: number): Uint8Array | undefined {
    return this.#options.keys.roots.get(version);
  }

  /** For people; available even if nothing can be signed now. */
  status(now: Date): Promise<DirectorRepositoryStatus> {
    const { keys, folder } = this.#options;
    return directorStatus(keys, folder, now);
  }

  /** A text that differs when a root was published, proposed or signed in its folder. */
  mark(): Promise<string> {
    return repositoryMark(this.#options.folder);
  }

  /** The time, signed with the nonces of the request. @throws UnknownVehicle, Refusal */
  async time(vin: string, request: Uint8Array): Promise<Uint8Array> {
    const nonces = readTimeRequest(request);
    if (!(await this.standingOf(vin))) throw new UnknownVehicle(`vehicle ${vin} is not known`);
    const { keys, clock } = this.#options;
    return writeEnvelope(await signMetadata(timePayload(new Date(clock()), nonces), [keys.time]));
  }

  async #scriptOf(scriptRefId: string): Promise<StoredScript | undefined> {
    const cached = this.#scripts.get(scriptRefId);
    if (cached) return cached;
    const found = await findScript(this.#options.database, scriptRefId);
    if (!found) return undefined;
    const stored = storedScript(found.script);
    this.#keep(scriptRefId, stored);
    return stored;
  }

  #keep(scriptRefId: string, script: StoredScript): void {
    if (this.#scripts.size >= MOST_SCRIPTS) this.#scripts.clear();
    this.#scripts.set(scriptRefId, script);
  }
}

/** Maximum number of scripts in memory: enough for the schedules that are running. */
const MOST_SCRIPTS = 1_000;
