/** All records of a dossier, in their order; memory does not grow with the number of vehicles. */
import { type DossierRecord } from '../../contract/carota-api/index.js';
import { type Queryable } from '../../service/database/index.js';
import { readDecisions, readWaves } from '../schedules/index.js';
import { auditRecord } from './audit-record.js';
import {
  approvalRecords,
  campaignRecord,
  decisionRecord,
  scriptRecords,
  testRecord,
  textSha256,
  waveRecord,
} from './campaign-records.js';
import {
  type CampaignRow,
  readEvents,
  readNames,
  readScheduleAudit,
  readTests,
  readVehicleAudit,
  readVehicles,
} from './read-dossier.js';
import { vehicleRecords } from './vehicle-records.js';

/** Vehicles, or entries of the audit log, per page. */
const PAGE = 200;

/** @param tx a transaction with a single snapshot @param now ms @returns batches of records, without `end` */
export async function* dossierRecords(
  tx: Queryable,
  campaign: CampaignRow,
  how: { readonly pseudonymous: boolean; readonly now: number },
): AsyncGenerator<DossierRecord[]> {
  const { id, created_by, approved_by, script_created_by, script_approved_by } = campaign;
  const people = [created_by, approved_by, script_created_by, script_approved_by];
  const names = await readNames(
    tx,
    people.filter((person) => person !== null),
  );
  yield [
    campaignRecord(campaign, names, how),
    ...scriptRecords(campaign, names),
    ...approvalRecords(campaign, names),
    ...(await readWaves(tx, id)).map(waveRecord),
    ...(await readDecisions(tx, id)).map(decisionRecord),
    ...(await readTests(tx, id)).map(testRecord),
  ];
  for (let after = 0; ;) {
    const entries = await readScheduleAudit(tx, campaign.ref_id, after, PAGE);
    yield entries.map(auditRecord);
    const last = entries.at(-1);
    if (!last || entries.length < PAGE) break;
    after = last.id;
  }
  const { consent } = campaign.script;
  const consentTextSha256 = consent && textSha256(consent.text);
  const until = campaign.ended_at ?? new Date(how.now);
  for (let after = ''; ;) {
    const vehicles = await readVehicles(tx, id, after, PAGE);
    const vins = vehicles.map(({ vin }) => vin);
    const events = byVin(await readEvents(tx, campaign.ref_id, vins));
    const audit = byVin(
      await readVehicleAudit(tx, campaign.ref_id, vins, campaign.created_at, until),
    );
    for (const row of vehicles) {
      const ofVehicle = events.get(row.vin) ?? [];
      yield [...vehicleRecords(row, ofVehicle, audit.get(row.vin) ?? [], consentTextSha256)];
    }
    const last = vehicles.at(-1);
    if (!last || vehicles.length < PAGE) return;
    after = last.vin;
  }
}

function byVin<Row extends { readonly vin: string | null }>(
  rows: readonly Row[],
): ReadonlyMap<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const vin = row.vin ?? '';
    const group = groups.get(vin);
    if (group) group.push(row);
    else groups.set(vin, [row]);
  }
  return groups;
}
