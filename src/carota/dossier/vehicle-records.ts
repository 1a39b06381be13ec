/** The records of one vehicle in a dossier, made from its row, its events and its audit entries. Pure. */
import { createHash } from 'node:crypto';
import { type RecordOf } from '../../contract/carota-api/index.js';
import { FAILED, lifecycleRank, type MetaField, reasonOf } from '../../contract/index.js';
import { type ChainedRow } from '../../service/audit/index.js';
import { readManifest } from '../../uptane/manifest/read-manifest.js';
import { Refusal } from '../../uptane/refusal.js';
import { auditRecord } from './audit-record.js';
import { type DossierEventRow, type DossierVehicleRow } from './read-dossier.js';

/** @param consentTextSha256 of the text in the script; undefined: users are not asked */
export function* vehicleRecords(
  row: DossierVehicleRow,
  events: readonly DossierEventRow[],
  audit: readonly ChainedRow[],
  consentTextSha256: string | undefined,
): Generator<RecordOf<'vehicle' | 'step' | 'failure' | 'audit'>> {
  const inOrder = [...events].sort(byTime);
  yield {
    type: 'vehicle',
    vin: row.vin,
    wave: row.wave,
    state: row.state,
    reason: row.reason,
    place: row.place,
    exposedAt: row.exposed_at?.toISOString() ?? null,
    result: row.result,
    silentAt: row.silent_at?.toISOString() ?? null,
    configuration: configurationOf(row),
    foundVersions: named(
      inOrder.flatMap(({ meta }) => meta),
      'found-version:',
    ),
    conditions: inOrder.flatMap(conditionsIn),
    consents: inOrder.flatMap((event) => consentIn(event, consentTextSha256)),
  };
  for (const event of inOrder) yield stepRecord(event);
  for (const [place, event] of inOrder.entries()) {
    if (!isFailure(event)) continue;
    // Each event appears once, even if the vehicle fails repeatedly: an event after the next failure belongs to that one.
    const next = inOrder.findIndex((later, at) => at > place && isFailure(later));
    yield failureRecord(event, inOrder.slice(place + 1, next < 0 ? undefined : next + 1));
  }
  for (const entry of audit) yield auditRecord(entry);
}

const isFailure = ({ status_name }: DossierEventRow) => FAILED.has(status_name);

/** In the order that determines a vehicle's state: by time, then by lifecycle rank (contract section 5.2). */
const byTime = (a: DossierEventRow, b: DossierEventRow) =>
  a.at.getTime() - b.at.getTime() ||
  lifecycleRank(a.status) - lifecycleRank(b.status) ||
  (a.event_id < b.event_id ? -1 : 1);

function configurationOf(row: DossierVehicleRow): RecordOf<'vehicle'>['configuration'] {
  const { configured_at, versions, manifest, manifest_at } = row;
  if (configured_at === null) return null;
  return {
    at: configured_at.toISOString(),
    versions: versions ?? {},
    manifestAt: manifest_at?.toISOString() ?? null,
    manifest: manifest && Buffer.from(manifest).toString('base64'),
    manifestSha256: manifest && createHash('sha256').update(manifest).digest('hex'),
    ecus: manifest ? ecusIn(manifest) : [],
  };
}

/** Only accepted manifests are stored; one that was tampered with in the database does not stop the dossier. */
function ecusIn(manifest: Uint8Array) {
  try {
    return [...readManifest(manifest).reports.values()].map(
      ({ ecuId: serial, hardwareId, installed }) => ({
        serial,
        hardwareId,
        image: installed
          ? {
              path: installed.path,
              length: installed.length,
              hashes: Object.fromEntries(installed.hashes),
              releaseCounter: installed.releaseCounter,
            }
          : null,
      }),
    );
  } catch (error) {
    if (error instanceof Refusal) return [];
    throw error;
  }
}

/** The fields whose keys have this prefix, without it; if a key occurs several times, the newest counts. */
const named = (meta: readonly MetaField[], prefix: string): Record<string, string> =>
  Object.fromEntries(
    meta
      .filter(({ key }) => key.startsWith(prefix))
      .map(({ key, value }) => [key.slice(prefix.length), value]),
  );

const BEFORE: Readonly<Record<string, 'download' | 'installation' | undefined>> = {
  downloaded: 'download',
  reboot: 'installation',
};

function conditionsIn({ meta, status_name }: DossierEventRow): RecordOf<'vehicle'>['conditions'] {
  const values = named(meta, 'condition:');
  if (Object.keys(values).length === 0) return [];
  return [{ before: BEFORE[status_name] ?? 'nothing', at: valueOf(meta, 'conditions-at'), values }];
}

function consentIn({ meta, status_name, at }: DossierEventRow, ofScript: string | undefined) {
  if (status_name !== 'consent_accepted' && status_name !== 'consent_rejected') return [];
  const textSha256 = valueOf(meta, 'consent-text-sha256');
  return [
    {
      accepted: status_name === 'consent_accepted',
      at: at.toISOString(),
      textSha256,
      language: valueOf(meta, 'consent-language'),
      textVersion: valueOf(meta, 'consent-text-version'),
      isTextOfScript: textSha256 === null ? null : textSha256 === ofScript,
    },
  ];
}

const valueOf = (meta: readonly MetaField[], wanted: string): string | null =>
  meta.find(({ key }) => key === wanted)?.value ?? null;

const stepRecord = (row: DossierEventRow): RecordOf<'step'> => ({
  type: 'step',
  vin: row.vin,
  'event-id': row.event_id,
  at: row.at.toISOString(),
  'received-at': row.received_at.toISOString(),
  status: row.status,
  'status-name': row.status_name,
  meta: row.meta.map(({ key, value }) => ({ key, value })),
});

const failureRecord = (
  row: DossierEventRow,
  followed: readonly DossierEventRow[],
): RecordOf<'failure'> => ({
  type: 'failure',
  vin: row.vin,
  'event-id': row.event_id,
  at: row.at.toISOString(),
  'status-name': row.status_name,
  reason: reasonOf(row.meta),
  followed: followed.map(({ at, status_name }) => ({
    at: at.toISOString(),
    'status-name': status_name,
  })),
});
