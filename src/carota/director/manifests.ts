/** Receives vehicle version manifests: verifies them, stores the latest of each vehicle, and records their reports. */
import {
  checkFreshness,
  checkManifest,
  type UsedNonces,
} from '../../uptane/manifest/check-manifest.js';
import { type ManifestFault, ManifestRefusal } from '../../uptane/manifest/manifest-refusal.js';
import {
  type ManifestFile,
  readManifest,
  type ReportFile,
} from '../../uptane/manifest/read-manifest.js';
import { type Attack, ATTACKS, Refusal } from '../../uptane/refusal.js';
import { Batches } from '../../service/batches.js';
import {
  bytesArray,
  type Database,
  DatabaseError,
  numberArray,
  type Queryable,
  textArray,
} from '../../service/database/index.js';
import { type AttackSighting, noteAttacks } from './attack-reports.js';
import { type DueImages } from './due-images.js';
import { onePerVehicle, storedFlags } from './one-per-vehicle.js';
import { dueByEcu, type EcuStanding, ecuStanding } from './ordered.js';
import { type ReportRecord, type VehicleStanding } from './standing.js';
import { STATEMENTS } from './statements.js';
import { UnknownVehicle } from './vehicle-metadata.js';

export interface ManifestsOptions {
  readonly database: Database;
  readonly standingOf: (vin: string) => Promise<VehicleStanding | undefined>;
  readonly dueOf: (vehicle: VehicleStanding) => Promise<DueImages | undefined>;
  /** ms */
  readonly clock: () => number;
  /** Called with the outcome of each manifest. */
  readonly onManifest: (outcome: 'accepted' | ManifestFault) => void;
  /** Called for each ECU of an accepted manifest. */
  readonly onEcu: (standing: EcuStanding) => void;
  /** Called for each attack reported by an ECU. */
  readonly onAttack: (attack: Attack | 'other') => void;
}

/** Maximum number of conflicts with concurrent manifests of the vehicle. */
const MOST_TRIES = 10;

export class Manifests {
  readonly #options: ManifestsOptions;
  readonly #storing: Batches<ToStore, boolean>;

  constructor(options: ManifestsOptions) {
    this.#options = options;
    const store = (manifests: readonly ToStore[]) => storeManifests(options.database, manifests);
    this.#storing = new Batches(store, STATEMENTS);
  }

  /**
   * @param bytes as received
   * @throws UnknownVehicle, ManifestRefusal, DatabaseError; then nothing in it is trusted
   */
  async accept(vin: string, bytes: Uint8Array): Promise<void> {
    const { database, clock, onManifest } = this.#options;
    try {
      await this.#accept(vin, bytes);
    } catch (error) {
      if (!(error instanceof ManifestRefusal)) throw error;
      onManifest(error.code);
      await noteRefusal(database, vin, error, clock());
      throw error;
    }
    onManifest('accepted');
  }

  async #accept(vin: string, bytes: Uint8Array): Promise<void> {
    const { database, standingOf, clock } = this.#options;
    let manifest: ManifestFile | undefined;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const vehicle = await standingOf(vin);
      if (!vehicle) throw new UnknownVehicle(`vehicle ${vin} is not known`);
      manifest ??= parsed(bytes);
      if (vehicle.ecus.size === 0) {
        throw new ManifestRefusal('vehicle', 'the ECUs of this vehicle are not registered');
      }
      await checkManifest(manifest, vin, vehicle.ecus);
      const now = clock();
      const used = checkFreshness(manifest, vehicle.reports, now);
      const reports = recordsOf(manifest, used);
      const revision = vehicle.revision + 1;
      const kept = recordsByKey(vehicle, reports);
      if (!(await this.#storing.do({ vin, revision, bytes, reports: kept, now }))) continue;
      await this.#reportStandings(vehicle, reports);
      const seen = sightingsIn(manifest);
      for (const { attack } of seen) this.#options.onAttack(attack);
      await noteAttacks(database, seen, now);
      return;
    }
    throw new Error(`manifests of ${vin} arrive faster than they can be stored`);
  }

  /** Compares the installed images with the ordered ones. */
  async #reportStandings(
    vehicle: VehicleStanding,
    reports: ReadonlyMap<string, ReportRecord>,
  ): Promise<void> {
    const due = dueByEcu(await this.#options.dueOf(vehicle));
    const ordered = new Map(Object.entries(vehicle.files?.ordered ?? {}));
    for (const [ecuId, { installed }] of reports) {
      const order = due.get(ecuId) ?? ordered.get(ecuId);
      this.#options.onEcu(ecuStanding(installed, order?.image, due.has(ecuId)));
    }
  }
}

function parsed(bytes: Uint8Array): ManifestFile {
  try {
    return readManifest(bytes);
  } catch (error) {
    if (error instanceof Refusal) throw new ManifestRefusal('malformed', error.message);
    throw error;
  }
}

/** By serial number. */
const recordsOf = (
  { reports }: ManifestFile,
  used: ReadonlyMap<string, UsedNonces>,
): ReadonlyMap<string, ReportRecord> =>
  new Map(
    [...used].map(([ecuId, { time, nonces }]) => [
      ecuId,
      { time, nonces, installed: installedOf(reports.get(ecuId)) },
    ]),
  );

/** The records to keep: the new ones, and those of keys that no longer belong to an ECU. */
const recordsByKey = (
  { ecus, reportsByKey }: VehicleStanding,
  reports: ReadonlyMap<string, ReportRecord>,
): Readonly<Record<string, ReportRecord>> => ({
  ...reportsByKey,
  ...Object.fromEntries(
    [...reports].flatMap(([ecuId, report]) => {
      const ecu = ecus.get(ecuId);
      return ecu ? [[ecu.key.id, report]] : [];
    }),
  ),
});

function installedOf(report: ReportFile | undefined): ReportRecord['installed'] {
  const { installed } = report ?? {};
  return installed ? { ...installed, hashes: Object.fromEntries(installed.hashes) } : null;
}

const isAttack = (name: string): name is Attack => ATTACKS.some((attack) => attack === name);

/** Unknown names share one counter, so that a vehicle cannot fill the tables with them. */
const sightingsIn = ({ vin, reports }: ManifestFile): AttackSighting[] =>
  [...reports].flatMap(([ecuId, { attack, reason = '' }]): AttackSighting[] => {
    if (attack === undefined) return [];
    return isAttack(attack)
      ? [{ vin, ecuId, attack, reason }]
      : [{ vin, ecuId, attack: 'other', reason: `${attack}: ${reason}` }];
  });

interface ToStore {
  readonly vin: string;
  readonly revision: number;
  readonly bytes: Uint8Array;
  readonly reports: Readonly<Record<string, ReportRecord>>;
  /** ms */
  readonly now: number;
}

/** @returns for each whether it was stored; false: another one was stored after the vehicle's standing was read */
async function storeManifests(
  database: Database,
  all: readonly ToStore[],
): Promise<readonly boolean[]> {
  const rows = onePerVehicle(all);
  const stored = await database.query<{ vin: string }>(
    `insert into manifests as m (vin, revision, received_at, manifest, reports)
     select vin, revision, to_timestamp(at / 1000), manifest, reports::json
     from unnest($1::text[], $2::bigint[], $3::float8[], $4::bytea[], $5::text[])
       as given (vin, revision, at, manifest, reports)
     on conflict (vin) do update
       set revision = excluded.revision, received_at = excluded.received_at,
         manifest = excluded.manifest, reports = excluded.reports
       where m.revision = excluded.revision - 1
     returning vin`,
    [
      textArray(rows.map(({ vin }) => vin)),
      numberArray(rows.map(({ revision }) => revision)),
      numberArray(rows.map(({ now }) => now)),
      bytesArray(rows.map(({ bytes }) => bytes)),
      textArray(rows.map(({ reports }) => JSON.stringify(reports))),
    ],
    'director-store-manifests',
  );
  return storedFlags(all, rows, stored);
}

/** For people; one row per vehicle, for any number of refusals. */
async function noteRefusal(
  database: Database,
  vin: string,
  { code, message, ecuId }: ManifestRefusal,
  now: number,
): Promise<void> {
  // The text may come from a stranger, and NUL and lone surrogates cannot be stored.
  const storable = (text: string) => text.replaceAll('\0', '\ufffd').toWellFormed();
  try {
    await database.query(
      `insert into manifest_refusals as r (vin, refused_at, fault, serial, message, count)
       values ($1, $2, $3, $4, $5, 1)
       on conflict (vin) do update set refused_at = excluded.refused_at, fault = excluded.fault,
         serial = excluded.serial, message = excluded.message, count = r.count + 1`,
      [vin, new Date(now), code, ecuId === undefined ? null : storable(ecuId), storable(message)],
    );
  } catch (error) {
    // The refusal itself must reach the vehicle.
    if (!(error instanceof DatabaseError)) throw error;
  }
}

export interface LastManifest {
  /** When the last one was accepted. */
  readonly manifestAt: Date | null;
  readonly refused: {
    readonly at: Date;
    readonly fault: string;
    readonly serial: string | null;
    readonly message: string;
    readonly count: number;
  } | null;
}

export async function findLastManifest(database: Queryable, vin: string): Promise<LastManifest> {
  const [accepted] = await database.query<{ received_at: Date | null }>(
    'select received_at from manifests where vin = $1',
    [vin],
  );
  const [refused] = await database.query<NonNullable<LastManifest['refused']>>(
    'select refused_at as at, fault, serial, message, count from manifest_refusals where vin = $1',
    [vin],
  );
  return { manifestAt: accepted?.received_at ?? null, refused: refused ?? null };
}
