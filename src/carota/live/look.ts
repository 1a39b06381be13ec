/** Fingerprints of the current state, one per topic: browsers refetch the topics whose fingerprint has changed. */
import { only, type Queryable, textArray } from '../../service/database/index.js';
import { type Look } from '../../service/http/index.js';

const NEWEST = 200;

const SCHEDULES = /* sql */ `
select s.ref_id, concat_ws('|', s.status, s.reason, s.approved_at,
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

const REST = /* sql */ `
select (select concat_ws(' ', count(*), max(created_at)) from update_scripts) as scripts,
  (select concat_ws(' ', count(*), max(created_at)) from artifacts) as artifacts,
  concat_ws(' ', (select id from refused_events order by id limit 1),
    (select id from refused_events order by id desc limit 1),
    (select max(replayed_at) from refused_events)) as refused_events`;

/** Fingerprints of the topics `schedules`, `scripts`, `artifacts` and `refused-events`, and on request of `schedule:<ref-id>`. */
export const lookAt =
  (database: Queryable): Look =>
  async (wanted) => {
    const refIds = [...wanted]
      .filter((topic) => topic.startsWith('schedule:'))
      .map((topic) => topic.slice('schedule:'.length));
    const rows = await database.query<{ ref_id: string; mark: string }>(SCHEDULES, [
      textArray(refIds),
    ]);
    const rest = only(
      await database.query<{ scripts: string; artifacts: string; refused_events: string }>(REST),
    );
    return new Map([
      ['schedules', rows.map(({ ref_id, mark }) => `${ref_id} ${mark}`).join('\n')],
      ['scripts', rest.scripts],
      ['artifacts', rest.artifacts],
      ['refused-events', rest.refused_events],
      ...rows.map(({ ref_id, mark }): [string, string] => [`schedule:${ref_id}`, mark]),
    ]);
  };
