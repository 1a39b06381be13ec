/** Fingerprints of the current state, one per topic: browsers refetch the topics whose fingerprint has changed. */
import { only, type Queryable, textArray } from '../../service/database/index.js';
import { listMarks, type Look, type Mark } from '../../service/http/index.js';

/** Operations in the list; older ones are included only while someone watches them. */
const NEWEST = 200;

const OPERATIONS = /* sql */ `
select o.ref_id, o.model, o.id >= (select coalesce(min(id), 0) from (
    select id from operations order by id desc limit ${NEWEST}) newest) as listed,
  concat_ws('|', o.status, o.priority, o.rate::text, (
    select string_agg(concat_ws(':', state, paused, vehicles), ',' order by state, paused) from (
      select state, paused, sum(vehicles) as vehicles from operation_counters
      where operation_id = o.id group by state, paused
    ) c
  )) as mark,
  (select concat_ws('|', refilled_at, pass) from send_budgets where operation_id = o.id) as sending,
  (select max(at)::text from operation_samples where operation_id = o.id) as sampled
from operations o
where o.id in (select id from operations order by id desc limit ${NEWEST})
  or o.ref_id = any ($1::text[])`;

/** Everything stored about one vehicle, in all operations. */
const VEHICLES = /* sql */ `
select w.vin, (select nullif(model, '') from vehicles where vin = w.vin) as model, concat_ws('|',
  (select concat_ws(' ', updated_at, model, system_id) from vehicles where vin = w.vin),
  (select string_agg(concat_ws(' ', d.operation_id, d.updated_at, d.sends, d.delivery, d.state, d.paused,
      (select count(*) from messages m where m.operation_id = d.operation_id and m.vin = d.vin),
      (select count(*) from delivery_log l where l.operation_id = d.operation_id and l.vin = d.vin)
    ), ',' order by d.operation_id)
   from deliveries d where d.vin collate "POSIX" = w.vin)) as mark
from unnest($1::text[]) as w (vin)`;

const REST = /* sql */ `
select (select coalesce(sum(dead_letters), 0) from message_totals)::text || '|' ||
    (select count(*) from dead_letters where replayed_at is not null)::text as dead_letters,
  (select concat(max(id), ' ', (select max(position) from audit.chain)) from audit.entries) as audit,
  (select string_agg(concat_ws(' ', id, position, failures, enabled, url), ',' order by id) from callbacks) as callbacks,
  (select string_agg(concat_ws(' ', instance, seen_at), ',' order by instance) from adapters) as adapters,
  (select trigger_rate::text from adapter_group) as rate,
  (select position::text from event_stream) as position`;

interface RestRow {
  readonly dead_letters: string;
  readonly audit: string;
  readonly callbacks: string | null;
  readonly adapters: string | null;
  readonly rate: string | null;
  readonly position: string;
}

/**
 * Fingerprints of the topics `operations`, `dead-letters`, `audit` and `health`, and on request of `operation:<ref-id>`,
 * `samples:<ref-id>` and `vehicle:<VIN>`.
 */
export const lookAt =
  (database: Queryable): Look =>
  async (wanted) => {
    const named = (kind: string) =>
      [...wanted]
        .filter((topic) => topic.startsWith(`${kind}:`))
        .map((topic) => topic.slice(kind.length + 1));
    const refIds = [...named('operation'), ...named('samples')];
    const rest = only(await database.query<RestRow>(REST));
    const operations = await database.query<{
      ref_id: string;
      model: string;
      listed: boolean;
      mark: string;
      sending: string | null;
      sampled: string | null;
    }>(OPERATIONS, [textArray(refIds)]);
    const marks: Mark[] = [
      ...listMarks(
        'operations',
        operations.filter(({ listed }) => listed),
      ),
      { topic: 'dead-letters', model: null, fingerprint: rest.dead_letters },
      { topic: 'audit', model: null, fingerprint: rest.audit },
      {
        topic: 'health',
        model: null,
        fingerprint: [rest.callbacks, rest.adapters, rest.rate].join('\n'),
      },
    ];
    for (const { ref_id, model, mark, sending, sampled } of operations) {
      if (wanted.has(`samples:${ref_id}`)) {
        marks.push({ topic: `samples:${ref_id}`, model, fingerprint: sampled ?? '' });
      }
      if (!wanted.has(`operation:${ref_id}`)) continue;
      // Vehicles may swap states without changing the counters, so the stream's position is included.
      const fingerprint = [mark, sending, rest.position].join('\n');
      marks.push({ topic: `operation:${ref_id}`, model, fingerprint });
    }
    const vins = named('vehicle');
    if (vins.length > 0) {
      const vehicles = await database.query<{ vin: string; model: string | null; mark: string }>(
        VEHICLES,
        [textArray(vins)],
      );
      for (const { vin, model, mark } of vehicles) {
        marks.push({ topic: `vehicle:${vin}`, model, fingerprint: mark });
      }
    }
    return marks;
  };
