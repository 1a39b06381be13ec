/**
 * The metadata of each vehicle: signed on request if something has changed or is about to expire, and stored before it is
 * served. Only stored files are served, so all processes on one database serve the same.
 */
import { hash } from 'node:crypto';
import { Batches } from '../../service/batches.js';
import {
  bytesArray,
  type Database,
  numberArray,
  textArray,
  timeArray,
} from '../../service/database/index.js';
import {
  directorSnapshot,
  directorTargets,
  directorTimestamp,
  targetsMember,
} from '../../uptane/director-repository/files.js';
import {
  nextFiles,
  type NextFiles,
  type SignedFile,
} from '../../uptane/director-repository/next-files.js';
import { type SignedPart, signMetadata, writeEnvelope } from '../../uptane/signing/sign.js';
import { type ImageCatalogue, type Images } from '../images/index.js';
import { type StoredScript } from '../scripts/index.js';
import { type DirectorKeys } from './director-keys.js';
import { dueImages, type DueImages } from './due-images.js';
import { FileBytes, type Role } from './file-bytes.js';
import { onePerVehicle, storedFlags } from './one-per-vehicle.js';
import { dueByEcu } from './ordered.js';
import { type StoredFiles, type VehicleStanding } from './standing.js';
import { STATEMENTS } from './statements.js';

export interface VehicleMetadataOptions {
  readonly database: Database;
  readonly keys: DirectorKeys;
  readonly catalogue: ImageCatalogue;
  readonly standingOf: (vin: string) => Promise<VehicleStanding | undefined>;
  readonly scriptOf: (scriptRefId: string) => Promise<StoredScript | undefined>;
  /** ms */
  readonly clock: () => number;
  /** Called for each signed file. */
  readonly onSigned: (role: Role) => void;
}

/** No such vehicle. */
export class UnknownVehicle extends Error {
  override readonly name = 'UnknownVehicle';
}

/** Maximum number of conflicts with other processes; each one means a change of the vehicle's order. */
const MOST_TRIES = 10;

export class VehicleMetadata {
  readonly #options: VehicleMetadataOptions;
  readonly #storing: Batches<ToStore, boolean>;
  readonly #bytes: FileBytes;
  readonly #cache = new WeakMap<VehicleStanding, Listed & { readonly images: Images }>();
  #epoch: { readonly database: string; readonly digest: string } | undefined;
  /** Vehicles whose timestamp is currently requested from this process. */
  readonly #turns = new Map<string, Turn>();

  constructor(options: VehicleMetadataOptions) {
    this.#options = options;
    this.#bytes = new FileBytes(options.database);
    this.#storing = new Batches((files) => storeFiles(options.database, files), STATEMENTS);
  }

  /** `timestamp.json`: the start of a cycle, at which new files are signed. @throws UnknownVehicle */
  async timestamp(vin: string): Promise<Uint8Array> {
    const turn = this.#turns.get(vin) ?? { requests: 0, signed: 0, signing: undefined };
    this.#turns.set(vin, turn);
    turn.requests += 1;
    try {
      return await this.#timestamp(vin, turn);
    } finally {
      turn.requests -= 1;
      if (turn.requests === 0) this.#turns.delete(vin);
    }
  }

  async #timestamp(vin: string, turn: Turn): Promise<Uint8Array> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const signedBefore = turn.signed;
      const vehicle = await this.#standingOf(vin);
      const { due, content, digest } = await this.#listed(vehicle);
      const wanted = { wanted: digest, epoch: this.#epochOf(vehicle) };
      const { files } = vehicle;
      const next = nextFiles(files, { ...wanted, now: this.#options.clock() });
      if (!next && files) {
        const bytes = await this.#bytes.get(vin, 'timestamp', files.timestamp.version);
        if (bytes) return bytes;
      }
      // Files that another request is signing, or signed during this read, are read again once they are stored.
      if (turn.signing) await turn.signing.catch(() => undefined);
      else if (next && turn.signed === signedBefore) {
        const stored = await this.#alone(turn, () =>
          this.#renew(vehicle, due, next, content, wanted),
        );
        if (stored) return stored;
      }
    }
    throw new Error(`the metadata of ${vin} changes faster than it can be signed`);
  }

  async #alone<T>(turn: Turn, work: () => Promise<T>): Promise<T> {
    turn.signing = work();
    try {
      return (await turn.signing) as T;
    } finally {
      turn.signing = undefined;
      turn.signed += 1;
    }
  }

  /** @returns the timestamp; undefined if another process was faster */
  async #renew(
    vehicle: VehicleStanding,
    due: DueImages | undefined,
    next: NextFiles,
    content: SignedPart,
    { wanted, epoch }: { readonly wanted: string; readonly epoch: string },
  ): Promise<Uint8Array | undefined> {
    const { vin } = vehicle;
    const signed = await this.#sign(vehicle, next, content);
    if (!signed) return undefined;
    const ordered = { ...orderedOfEcus(vehicle), ...Object.fromEntries(dueByEcu(due)) };
    const replaces = vehicle.files?.timestamp.version ?? 0;
    const isStored = await this.#storing.do({
      vin,
      replaces,
      content: wanted,
      epoch,
      ordered,
      ...signed,
    });
    if (!isStored) return undefined;
    for (const role of ROLES) this.#bytes.put(vin, role, signed[role].version, signed[role].bytes);
    return signed.timestamp.bytes;
  }

  /** `N.snapshot.json`; undefined if it is not the current version. @throws UnknownVehicle */
  async snapshot(vin: string, version: number): Promise<Uint8Array | undefined> {
    // It contains no images, so nothing has to be looked up.
    const kept = await this.#bytes.get(vin, 'snapshot', version);
    if (!kept) await this.#standingOf(vin);
    return kept;
  }

  /**
   * `N.targets.json`; undefined if it is not the current version, or no longer states the due update: updates paused or
   * stopped since the timestamp was served are no longer available.
   *
   * @throws UnknownVehicle
   */
  async targets(vin: string, version: number): Promise<Uint8Array | undefined> {
    const vehicle = await this.#standingOf(vin);
    const { files } = vehicle;
    if (files?.targets.version !== version) return undefined;
    const { digest } = await this.#listed(vehicle);
    return files.content === digest ? this.#bytes.get(vin, 'targets', version) : undefined;
  }

  async due(vehicle: VehicleStanding): Promise<DueImages | undefined> {
    return (await this.#listed(vehicle)).due;
  }

  /** Cached for equal standing and images: neither scripts nor standings ever change. */
  async #listed(vehicle: VehicleStanding): Promise<Listed> {
    if (vehicle.schedules.length === 0) return NOTHING_LISTED;
    const images = await this.#options.catalogue.images();
    const cached = this.#cache.get(vehicle);
    if (cached?.images === images) return cached;
    const due = await dueImages(vehicle, this.#options.scriptOf, images);
    const listed = { images, ...listedOf(due) };
    this.#cache.set(vehicle, listed);
    return listed;
  }

  async #standingOf(vin: string): Promise<VehicleStanding> {
    const vehicle = await this.#options.standingOf(vin);
    if (!vehicle) throw new UnknownVehicle(`vehicle ${vin} is not known`);
    return vehicle;
  }

  #epochOf({ database }: VehicleStanding): string {
    if (this.#epoch?.database === database) return this.#epoch.digest;
    const { rootDigest } = this.#options.keys;
    const digest = hash('sha256', `${database} ${rootDigest}`);
    this.#epoch = { database, digest };
    return digest;
  }

  /** @returns undefined if a stored file no longer exists because another process replaced it */
  async #sign(
    { vin, files }: VehicleStanding,
    next: NextFiles,
    content: SignedPart,
  ): Promise<Record<Role, FileWithBytes> | undefined> {
    const targets = next.targets
      ? await this.#file('targets', next.targets, (common) =>
          directorTargets({ ...common, vin, targets: content }),
        )
      : await this.#stored(vin, 'targets', files);
    if (!targets) return undefined;
    const snapshot = next.snapshot
      ? await this.#file('snapshot', next.snapshot, (common) =>
          directorSnapshot({ ...common, targetsVersion: targets.version }),
        )
      : await this.#stored(vin, 'snapshot', files);
    if (!snapshot) return undefined;
    const timestamp = await this.#file('timestamp', next.timestamp, (common) =>
      directorTimestamp({
        ...common,
        snapshotVersion: snapshot.version,
        snapshot: snapshot.bytes,
      }),
    );
    return { targets, snapshot, timestamp };
  }

  async #file(
    role: Role,
    file: SignedFile,
    contentOf: (common: { version: number; expires: Date }) => SignedPart,
  ): Promise<FileWithBytes> {
    const signed = contentOf({ version: file.version, expires: new Date(file.expires) });
    const signer = this.#options.keys.signers[role];
    const bytes = writeEnvelope(await signMetadata(signed, [signer]));
    this.#options.onSigned(role);
    return { ...file, bytes };
  }

  async #stored(
    vin: string,
    role: Role,
    files: StoredFiles | undefined,
  ): Promise<FileWithBytes | undefined> {
    if (!files) throw new Error('a vehicle without files gets all of them');
    const bytes = await this.#bytes.get(vin, role, files[role].version);
    return bytes && { ...files[role], bytes };
  }
}

/** Of the requests for one vehicle's timestamp, one signs at a time. */
interface Turn {
  requests: number;
  /** Number of times that files were, or should have been, signed. */
  signed: number;
  signing: Promise<unknown> | undefined;
}

interface FileWithBytes extends SignedFile {
  readonly bytes: Uint8Array;
}

const ROLES = ['targets', 'snapshot', 'timestamp'] as const;

/** Digest of the content of targets, whose members are always in the same order. */
const digestOf = (content: SignedPart) => hash('sha256', JSON.stringify(content));

/** The intended content of a vehicle's targets. */
interface Listed {
  readonly due: DueImages | undefined;
  readonly content: SignedPart;
  readonly digest: string;
}

function listedOf(due: DueImages | undefined): Listed {
  const content = targetsMember(due?.targets ?? []);
  return { due, content, digest: digestOf(content) };
}

const NOTHING_LISTED = listedOf(undefined);

/** The most recent orders, for the ECUs that the vehicle still has. */
const orderedOfEcus = ({ ecus, files }: VehicleStanding) =>
  Object.fromEntries(Object.entries(files?.ordered ?? {}).filter(([ecuId]) => ecus.has(ecuId)));

interface ToStore extends Omit<StoredFiles, Role>, Record<Role, FileWithBytes> {
  readonly vin: string;
  /** Version of the timestamp that is stored; 0: none. */
  readonly replaces: number;
}

/** @returns for each, whether it was stored; false: another process was faster, and the stored version must be read again */
async function storeFiles(
  database: Database,
  all: readonly ToStore[],
): Promise<readonly boolean[]> {
  const rows = onePerVehicle(all);
  const texts = (of: (row: ToStore) => string) => textArray(rows.map(of));
  const numbers = (of: (row: ToStore) => number) => numberArray(rows.map(of));
  const times = (of: (row: ToStore) => number) => timeArray(rows.map(of));
  const bytes = (of: (row: ToStore) => Uint8Array) => bytesArray(rows.map(of));
  const stored = await database.query<{ vin: string }>(
    `insert into director_files as f (vin, replaces, content, epoch, targets_version, targets_expires,
       targets, snapshot_version, snapshot_expires, snapshot, timestamp_version, timestamp_expires,
       timestamp_file, ordered)
     select vin, replaces, content, epoch, tv, te, t, sv, se, s, iv, ie, i, ordered::json
     from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[],
       $7::bytea[], $8::bigint[], $9::timestamptz[], $10::bytea[], $11::bigint[],
       $12::timestamptz[], $13::bytea[], $14::text[])
       as given (vin, replaces, content, epoch, tv, te, t, sv, se, s, iv, ie, i, ordered)
     on conflict (vin) do update
       set replaces = excluded.replaces, content = excluded.content, epoch = excluded.epoch,
         targets_version = excluded.targets_version, targets_expires = excluded.targets_expires,
         targets = excluded.targets, snapshot_version = excluded.snapshot_version,
         snapshot_expires = excluded.snapshot_expires, snapshot = excluded.snapshot,
         timestamp_version = excluded.timestamp_version,
         timestamp_expires = excluded.timestamp_expires,
         timestamp_file = excluded.timestamp_file, ordered = excluded.ordered
       where f.timestamp_version = excluded.replaces
     returning vin`,
    [
      texts(({ vin }) => vin),
      numbers(({ replaces }) => replaces),
      texts(({ content }) => content),
      texts(({ epoch }) => epoch),
      numbers(({ targets }) => targets.version),
      times(({ targets }) => targets.expires),
      bytes(({ targets }) => targets.bytes),
      numbers(({ snapshot }) => snapshot.version),
      times(({ snapshot }) => snapshot.expires),
      bytes(({ snapshot }) => snapshot.bytes),
      numbers(({ timestamp }) => timestamp.version),
      times(({ timestamp }) => timestamp.expires),
      bytes(({ timestamp }) => timestamp.bytes),
      texts(({ ordered }) => JSON.stringify(ordered)),
    ],
    'director-store-files',
  );
  return storedFlags(all, rows, stored);
}
