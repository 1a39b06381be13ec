/** Fingerprints of the current state, one per topic: browsers refetch the topics whose fingerprint has changed. */
import { only, type Queryable, textArray } from '../../service/database/index.js';
import { listMarks, type Look } from '../../service/http/index.js';

const NEWEST = 200;

const SCHEDULES = /* sql */ `
select s.ref_id, s.model, concat_ws('|', s.status, s.reason, s.approved_at,
  (select string_agg(concat_ws(' ', number, state, vehicles, rejected, finished, exposed, succeeded, failed, silent,
     withdrawn, failed_early), ','
     order by number) from waves where schedule_id = s.id),
  (select max(id) from decisions where schedule_id = s.id),
  s.test_number, s.exposed,
  (select string_agg(concat_ws(' ', state, vehicles), ',' order by state) from (
     select state, count(*) as vehicles from schedule_vehicles
     where schedule_id = s.id and s.ref_id = any ($1::text[]) group by state) v)) as mark
from schedules s
where s.id in (select id from schedules order by id desc limit ${NEWEST})
  or s.ref_id = any ($1::text[])`;

const VEHICLES = /* sql */ `
select v.vin, v.model, concat_ws('|', v.updated_at,
  (select string_agg(concat_ws(' ', serial, key_id, hardware_id), ',' order by serial)
   from ecus where vin = v.vin),
  (select revision from manifests where vin = v.vin),
  (select concat_ws(' ', refused_at, count) from manifest_refusals where vin = v.vin),
  (select timestamp_version from director_files where vin = v.vin),
  (select string_agg(concat_ws(' ', id, last_at, count), ',' order by id)
   from attack_reports where vin = v.vin),
  (select string_agg(concat_ws(' ', s.id, s.status, w.state, sv.state, (sv.newest).id), ',' order by s.id)
   from schedule_vehicles sv
   join schedules s on s.id = sv.schedule_id
   left join waves w on w.schedule_id = sv.schedule_id and w.number = sv.wave
   where sv.vin = v.vin)) as mark
from vehicles v where v.vin = any ($1::text[])`;

const REST = /* sql */ `
select (select concat_ws(' ', count(*), max(created_at)) from update_scripts) as scripts,
  (select concat_ws(' ', count(*), max(created_at)) from artifacts) as artifacts,
  concat_ws(' ', (select id from refused_events order by id limit 1),
    (select id from refused_events order by id desc limit 1),
    (select max(replayed_at) from refused_events)) as refused_events,
  (select string_agg(concat_ws(' ', id, last_at, count), ',' order by id)
   from (select id, last_at, count from attack_reports order by id desc limit ${NEWEST}) a) as attacks,
  (select concat_ws(' ', max(id), sum(tries), count(delivered_at), count(due_at)) from (
     select id, tries, delivered_at, due_at from notification_deliveries order by id desc limit ${NEWEST}) d) as deliveries,
  (select string_agg(concat_ws(' ', id, enabled), ',' order by id) from notification_rules) as rules,
  (select concat(max(id), ' ', (select max(position) from audit.chain)) from audit.entries) as audit,
  (select max(version) from director_roots)::text as root`;

interface Rest {
  readonly scripts: string;
  readonly artifacts: string;
  readonly refused_events: string;
  readonly attacks: string | null;
  readonly deliveries: string;
  readonly rules: string | null;
  readonly audit: string | null;
  readonly root: string | null;
}

/**
 * Fingerprints of the topics `schedules`, `scripts`, `artifacts`, `refused-events`, `attacks`, `notifications`, `audit` and `repositories`,
 * and on request of `schedule:<ref-id>` and `vehicle:<vin>`.
 *
 * @param repositories both, which are stored in files
 */
export const lookAt =
  (database: Queryable, repositories: readonly { mark(): Promise<string> }[]): Look =>
  async (wanted) => {
    const refIds = namedBy(wanted, 'schedule');
    const vins = namedBy(wanted, 'vehicle');
    const rows = await database.query<{ ref_id: string; model: string; mark: string }>(SCHEDULES, [
      textArray(refIds),
    ]);
    const vehicles =
      vins.length === 0
        ? []
        : await database.query<{ vin: string; model: string; mark: string }>(VEHICLES, [
            textArray(vins),
          ]);
    const rest = only(await database.query<Rest>(REST));
    const marks = await Promise.all(repositories.map((repository) => repository.mark()));
    const spanning = {
      scripts: rest.scripts,
      artifacts: rest.artifacts,
      'refused-events': rest.refused_events,
      attacks: rest.attacks ?? '',
      notifications: `${rest.deliveries} ${rest.rules ?? ''}`,
      audit: rest.audit ?? '',
      repositories: [rest.root ?? '', ...marks].join(' '),
    };
    return [
      ...listMarks('schedules', rows),
      ...Object.entries(spanning).map(([topic, fingerprint]) => ({
        topic,
        model: null,
        fingerprint,
      })),
      ...rows.map(({ ref_id, model, mark }) => ({
        topic: `schedule:${ref_id}`,
        model,
        fingerprint: mark,
      })),
      ...vehicles.map(({ vin, model, mark }) => ({
        topic: `vehicle:${vin}`,
        model,
        fingerprint: mark,
      })),
    ];
  };

/** The objects of a kind that browsers have subscribed to. */
const namedBy = (wanted: ReadonlySet<string>, kind: string): string[] =>
  [...wanted]
    .filter((topic) => topic.startsWith(`${kind}:`))
    .map((topic) => topic.slice(kind.length + 1));
