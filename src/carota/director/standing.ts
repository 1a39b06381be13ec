/** Everything that the Director needs to know about a vehicle, in one read: ECUs, reports, due and signed updates. */
import { type PublicKey } from '../../uptane/keys/public-key.js';
import { type ListedKey } from '../../uptane/signing/signer.js';
import { publicKeyOf } from '../../uptane/signing/listed-key.js';
import { type RegisteredEcu, type UsedNonces } from '../../uptane/manifest/check-manifest.js';
import { type SignedFiles } from '../../uptane/director-repository/next-files.js';
import { type EcuImage } from '../../contract/carota-api/index.js';
import { FINAL } from '../../contract/index.js';
import { type Queryable, textArray } from '../../service/database/index.js';

export interface InventoryEcu extends RegisteredEcu {
  /** As update scripts name it. */
  readonly name: string;
  readonly listedKey: ListedKey;
  readonly registeredAt: Date;
}

/** An image as stored for reports and orders. */
export type ImageRecord = Readonly<EcuImage>;

/** The stored part of an ECU's latest accepted report. */
export interface ReportRecord extends UsedNonces {
  readonly installed: ImageRecord | null;
}

/** A running schedule that has not ended for this vehicle. */
export interface OpenSchedule {
  readonly refId: string;
  readonly scriptRefId: string;
  /** SHA-256 of the script that was approved; null: it needed no approval. */
  readonly approvedScript: string | null;
  /** Whether the vehicle has started it. */
  readonly hasStarted: boolean;
  /** When its wave was posted, ms; null: it is being posted. */
  readonly postedAt: number | null;
  readonly id: number;
}

export interface OrderedRecord {
  readonly refId: string;
  readonly image: ImageRecord;
}

/** Without their bytes, which only some requests need; see `FileBytes`. */
export interface StoredFiles extends SignedFiles {
  /** The image that was ordered last, by serial number. */
  readonly ordered: Readonly<Record<string, OrderedRecord>>;
}

export interface VehicleStanding {
  readonly vin: string;
  readonly ecus: ReadonlyMap<string, InventoryEcu>;
  /** Installed version by name of the ECU, if known. */
  readonly versions: Readonly<Record<string, string>>;
  /** Last reports by serial number. */
  readonly reports: ReadonlyMap<string, ReportRecord>;
  /**
   * Reports by the id of the key that signed them, including keys of removed ECUs: an ECU that returns continues from its
   * latest report, so no earlier report is accepted again.
   */
  readonly reportsByKey: Readonly<Record<string, ReportRecord>>;
  /** Of the last manifest; 0: none has been accepted. */
  readonly revision: number;
  readonly schedules: readonly OpenSchedule[];
  readonly files: StoredFiles | undefined;
  /** Differs if this is a different database than the one in which the files were stored, or a restored one. */
  readonly database: string;
}

/** As read from the database: JSON stays text until something has changed. */
interface Row {
  readonly vin: string;
  readonly ecus: string | null;
  readonly versions: string | null;
  readonly reports: string | null;
  readonly revision: number | null;
  readonly schedules: string | null;
  readonly database: string;
  readonly content: string | null;
  readonly epoch: string;
  readonly targets_version: number;
  readonly targets_expires: number;
  readonly snapshot_version: number;
  readonly snapshot_expires: number;
  readonly timestamp_version: number;
  readonly timestamp_expires: number;
  readonly ordered: string;
}

interface EcuRow {
  readonly ecuId: string;
  readonly name: string;
  readonly hardwareId: string;
  readonly key: ListedKey;
  readonly keyId: string;
  readonly isPrimary: boolean;
  readonly registeredAt: string;
}

// Identifies the database: a restored or copied one differs in server start, oid, or the table's file.
const STATEMENT = `
select v.vin, i.ecus::text as ecus,
  (select json_object_agg(i.ecu, i.version order by i.ecu) from installed_versions i
   where i.vin = v.vin)::text as versions,
  (select json_agg(json_build_object('id', s.id, 'refId', s.ref_id, 'scriptRefId', s.script_ref_id,
     'approvedScript', s.approved_script,
     'hasStarted', sv.newest is not null, 'postedAt', extract(epoch from w.posted_at) * 1000)
     order by s.id)
   from schedule_vehicles sv
   join schedules s on s.id = sv.schedule_id
   join waves w on w.schedule_id = sv.schedule_id and w.number = sv.wave
   where sv.vin = v.vin and s.status = 'running' and w.state in ('posting', 'running', 'passed')
     -- After a failure so far the vehicle may continue, and needs its metadata to do so.
     and sv.state <> all ($2::text[]))::text as schedules,
  m.reports::text as reports, m.revision, f.content, f.epoch, f.targets_version, f.snapshot_version,
  f.timestamp_version,
  (extract(epoch from f.targets_expires) * 1000)::float8 as targets_expires,
  (extract(epoch from f.snapshot_expires) * 1000)::float8 as snapshot_expires,
  (extract(epoch from f.timestamp_expires) * 1000)::float8 as timestamp_expires,
  f.ordered::text as ordered,
  (select concat_ws(' ', pg_postmaster_start_time(),
     (select oid from pg_database where datname = current_database()),
     pg_relation_filenode('director_files'))) as database
from vehicles v
left join inventories i on i.vin = v.vin
left join manifests m on m.vin = v.vin
left join director_files f on f.vin = v.vin
where v.vin = any($1::text[])`;

/** Number of vehicles whose last row is cached, about 10 KB each; a cycle reads it three times within seconds. */
const MOST_REMEMBERED = 5_000;

/**
 * Reads standings. Each one is read from the database; only the parsed text is cached, so that equal rows yield the same
 * object.
 */
export class Standings {
  readonly #database: Queryable;
  /** Least recently read first. */
  readonly #last = new Map<string, Remembered>();

  constructor(database: Queryable) {
    this.#database = database;
  }

  /** @returns in the order of the VINs; undefined for an unknown vehicle */
  async read(vins: readonly string[]): Promise<readonly (VehicleStanding | undefined)[]> {
    const rows = await this.#database.query<Row>(
      STATEMENT,
      [textArray([...new Set(vins)]), textArray([...FINAL])],
      'director-standings',
    );
    const byVin = new Map(rows.map((row) => [row.vin, this.#standingOf(row)]));
    return vins.map((vin) => byVin.get(vin));
  }

  #standingOf(row: Row): VehicleStanding {
    const { vin } = row;
    const last = this.#last.get(vin);
    this.#last.delete(vin);
    const remembered =
      last && isSameRow(last.row, row) ? last : { row, standing: standingOf(row, last) };
    this.#last.set(vin, remembered);
    const [oldest] = this.#last.size > MOST_REMEMBERED ? this.#last.keys() : [];
    if (oldest !== undefined) this.#last.delete(oldest);
    return remembered.standing;
  }
}

interface Remembered {
  readonly row: Row;
  readonly standing: VehicleStanding;
}

const isSameRow = (a: Row, b: Row): boolean =>
  (Object.keys(a) as (keyof Row)[]).every((column) => a[column] === b[column]);

/** @param last of the same vehicle; values parsed from equal text are reused */
function standingOf(row: Row, last: Remembered | undefined): VehicleStanding {
  const before = <Part>(column: keyof Row, part: (standing: VehicleStanding) => Part) =>
    last?.row[column] === row[column] ? part(last.standing) : undefined;
  const ecus = before('ecus', (standing) => standing.ecus) ?? ecusOf(row.ecus);
  const reportsByKey =
    before('reports', (standing) => standing.reportsByKey) ??
    parsed<Readonly<Record<string, ReportRecord>>>(row.reports, {});
  const reports = [...ecus.values()].flatMap(({ ecuId, key }) => {
    const report = reportsByKey[key.id];
    return report ? [[ecuId, report] as const] : [];
  });
  return {
    vin: row.vin,
    ecus,
    versions: before('versions', (standing) => standing.versions) ?? parsed(row.versions, {}),
    reports: new Map(reports),
    reportsByKey,
    revision: row.revision ?? 0,
    schedules: before('schedules', (standing) => standing.schedules) ?? parsed(row.schedules, []),
    files: row.content === null ? undefined : filesOf(row, row.content, before),
    database: row.database,
  };
}

const parsed = <Value>(text: string | null, none: Value): Value =>
  text === null ? none : (JSON.parse(text) as Value);

const ecusOf = (text: string | null): ReadonlyMap<string, InventoryEcu> =>
  new Map(parsed<readonly EcuRow[]>(text, []).map((ecu) => [ecu.ecuId, ecuOf(ecu)]));

/** Keyed by their ids, which are digests of their content. The oldest entry is evicted first. */
const keys = new Map<string, PublicKey>();
const MOST_KEYS = 50_000;

function keyOf(keyId: string, listed: ListedKey): PublicKey {
  const cached = keys.get(keyId);
  if (cached) return cached;
  const [oldest] = keys.size >= MOST_KEYS ? keys.keys() : [];
  if (oldest !== undefined) keys.delete(oldest);
  const key = publicKeyOf(listed);
  keys.set(keyId, key);
  return key;
}

const ecuOf = ({ key, keyId, registeredAt, ...ecu }: EcuRow): InventoryEcu => ({
  ...ecu,
  key: keyOf(keyId, key),
  listedKey: key,
  registeredAt: new Date(registeredAt),
});

const filesOf = (
  row: Row,
  content: string,
  before: <Part>(column: keyof Row, part: (standing: VehicleStanding) => Part) => Part | undefined,
): StoredFiles => ({
  content,
  epoch: row.epoch,
  targets: { version: row.targets_version, expires: row.targets_expires },
  snapshot: { version: row.snapshot_version, expires: row.snapshot_expires },
  timestamp: { version: row.timestamp_version, expires: row.timestamp_expires },
  ordered: before('ordered', ({ files }) => files?.ordered) ?? parsed(row.ordered, {}),
});
