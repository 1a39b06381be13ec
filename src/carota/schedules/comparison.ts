/** Differences between a schedule and the previous campaign of its model, for the approver. */
import { isDeepStrictEqual } from 'node:util';
import { Value } from '../../contract/typebox.js';
import {
  type EcuComparison,
  type RegulationComparison,
  type ScheduleComparison,
  SchedulePlan,
} from '../../contract/carota-api/index.js';
import { UpdateScript } from '../../contract/update-script/index.js';
import { only, type Parameter, type Queryable } from '../../service/database/index.js';
import { type Served } from '../../service/http/index.js';
import { type StoredScript, storedScript } from '../scripts/index.js';
import { chosenVehicles } from '../vehicles/index.js';
import { contentOf } from './approval-digest.js';
import { differences } from './differences.js';
import { type ScheduleRow } from './schedules.js';

type Compared = Pick<
  ScheduleRow,
  'id' | 'ref_id' | 'status' | 'plan' | 'approved_at' | 'started_at'
> & { readonly script: UpdateScript };

const COMPARED = 's.id, s.ref_id, s.status, s.plan, s.approved_at, s.started_at, u.script';
const FROM = 'from schedules s join update_scripts u on u.script_ref_id = s.script_ref_id';
/** When a schedule became a campaign: at its approval or, without one, at its start. */
const VALID_FROM = 'coalesce(s.approved_at, s.started_at)';

/** The schedule and the campaign before it. */
async function readBoth(
  database: Queryable,
  id: number,
): Promise<{ readonly after: Compared; readonly before: Compared | undefined }> {
  const after = only(
    await database.query<Compared>(`select ${COMPARED} ${FROM} where s.id = $1`, [id]),
  );
  // Compared in the database, which stores microseconds: a JavaScript Date has only milliseconds.
  const [before] = await database.query<Compared>(
    `select ${COMPARED} ${FROM}
     join schedules this on this.id = $1
     where s.model = this.model and s.id <> this.id
       and ${VALID_FROM} < coalesce(this.approved_at, this.started_at, 'infinity')
     order by ${VALID_FROM} desc, s.id desc limit 1`,
    [id],
  );
  return { after, before };
}

const without = (object: object, ...names: readonly string[]) =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));

/** The plan with all defaults filled in: leaving a default out is no difference. */
const effectivePlan = (plan: SchedulePlan) =>
  without(
    Value.Default(SchedulePlan, Value.Clone(plan)) as SchedulePlan,
    'ref-id',
    'script-ref-id',
  );

/** The members of a script that are not compared separately: without ECUs, RXSWINs and the script's name. */
function restOf(script: UpdateScript | undefined) {
  if (!script) return {};
  const effective = Value.Default(UpdateScript, Value.Clone(script)) as UpdateScript;
  const record = effective.record ? { record: without(effective.record, 'regulations') } : {};
  const shown = without(effective, 'version', 'script-ref-id', 'model', 'ecus', 'record');
  return { ...shown, ...record };
}

/** The distinct keys of all sides, sorted. */
const keysOf = <Item>(keyOf: (item: Item) => string, ...sides: readonly (readonly Item[])[]) =>
  [...new Set(sides.flat().map(keyOf))].sort();

function ecusOf(before: UpdateScript | undefined, after: UpdateScript): EcuComparison[] {
  const [was, is] = [before?.ecus ?? [], after.ecus];
  return keysOf(({ ecu }) => ecu, was, is).map((name) => {
    const find = (ecus: UpdateScript['ecus']) => ecus.find(({ ecu }) => ecu === name) ?? null;
    const sides = { before: find(was), after: find(is) };
    return { ecu: name, ...sides, differs: !isDeepStrictEqual(sides.before, sides.after) };
  });
}

function regulationsOf(
  before: UpdateScript | undefined,
  after: UpdateScript,
): RegulationComparison[] {
  const [was, is] = [before?.record?.regulations ?? [], after.record?.regulations ?? []];
  return keysOf(({ regulation }) => regulation, was, is).map((name) => {
    const find = (all: typeof is) => all.find(({ regulation }) => regulation === name);
    const shown = (found: (typeof is)[number] | undefined) =>
      found ? { rxswinBefore: found.rxswinBefore, rxswinAfter: found.rxswinAfter } : null;
    const [old, now] = [find(was), find(is)];
    const differs = !isDeepStrictEqual(old, now);
    return { regulation: name, before: shown(old), after: shown(now), differs };
  });
}

const named = ({ script, sha256 }: StoredScript) => ({
  'script-ref-id': script['script-ref-id'],
  sha256,
});

/** If a filter chooses the vehicles when the schedule starts: those that it selects now; otherwise the stored list. */
function vehiclesNow(schedule: Compared): { sql: string; parameters: readonly Parameter[] } {
  return isChosenLater(schedule)
    ? chosenVehicles(schedule.plan)
    : {
        sql: 'select vin from schedule_vehicles where schedule_id = $1',
        parameters: [schedule.id],
      };
}

/** Whether a filter chooses the vehicles when the schedule starts. Once proposed or approved, the schedule has a fixed list. */
export const isChosenLater = ({
  status,
  approved_at: approvedAt,
  plan,
}: Pick<ScheduleRow, 'status' | 'approved_at' | 'plan'>): boolean =>
  status === 'planned' && approvedAt === null && plan.filter !== undefined;

/** A query for the vehicles that only one of the two schedules has. */
function vehiclesOnlyIn(
  side: 'added' | 'removed',
  after: Compared,
  before: Compared | undefined,
): { sql: string; parameters: readonly Parameter[] } {
  const now = vehiclesNow(after);
  const last = `$${now.parameters.length + 1}::bigint`;
  const was = `select vin from schedule_vehicles where schedule_id = ${last}`;
  const [has, lacks] = side === 'added' ? [now.sql, was] : [was, now.sql];
  return {
    sql: `select vin from (${has}) has where not exists (select from (${lacks}) lacks where lacks.vin = has.vin)`,
    parameters: [...now.parameters, before?.id ?? null],
  };
}

/** @param database a transaction with one snapshot: otherwise the digest could describe a different state than the comparison */
export async function compareSchedule(
  database: Queryable,
  id: number,
): Promise<Served<ScheduleComparison>> {
  const { after, before } = await readBoth(database, id);
  const count = async ({ sql, parameters }: { sql: string; parameters: readonly Parameter[] }) =>
    only(
      await database.query<{ count: number }>(
        `select count(*) as count from (${sql}) all_of_them`,
        [...parameters],
      ),
    ).count;
  const added = await count(vehiclesOnlyIn('added', after, before));
  const removed = await count(vehiclesOnlyIn('removed', after, before));
  const vehicles = await count(vehiclesNow(after));
  const { digest } = await contentOf(database, id);
  return {
    'ref-id': after.ref_id,
    digest,
    last: before
      ? {
          'ref-id': before.ref_id,
          status: before.status,
          approvedAt: before.approved_at,
          startedAt: before.started_at,
        }
      : null,
    plan: differences(before ? effectivePlan(before.plan) : {}, effectivePlan(after.plan)),
    script: {
      before: before ? named(storedScript(before.script)) : null,
      after: named(storedScript(after.script)),
      ecus: ecusOf(before?.script, after.script),
      regulations: regulationsOf(before?.script, after.script),
      other: differences(restOf(before?.script), restOf(after.script)),
    },
    vehicles: { before: vehicles - added + removed, after: vehicles, added, removed },
  };
}

/** Sorted by VIN. @param after the last VIN of the previous page */
export async function listComparedVehicles(
  database: Queryable,
  id: number,
  page: { readonly only: 'added' | 'removed'; readonly after: string; readonly limit: number },
): Promise<{ vin: string }[]> {
  const both = await readBoth(database, id);
  const { sql, parameters } = vehiclesOnlyIn(page.only, both.after, both.before);
  const next = parameters.length + 1;
  return database.query<{ vin: string }>(
    `select vin from (${sql}) differ where vin > $${next} order by vin limit $${next + 1}`,
    [...parameters, page.after, page.limit],
  );
}
