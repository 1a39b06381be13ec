/** The states of operations over time, sampled while they change. */
import { type Sample } from '../../contract/adapter-api/index.js';
import { type Queryable } from '../../service/database/index.js';

export interface SampleRow extends Readonly<Omit<Sample, 'at'>> {
  readonly at: Date;
}

/** Only the newest operations are sampled. */
const NEWEST = 500;
/** Samples are at least 1/400 of the operation's age apart, hence sparser with age. None is taken without a change. */
export const SAMPLES_PER_AGE = 400;
const TAKE = /* sql */ `
insert into operation_samples (operation_id, at, states)
select c.operation_id, $1::timestamptz, c.states from (
  select operation_id, json_object_agg(state, vehicles order by state) as states from (
    select operation_id, state, sum(vehicles) as vehicles from operation_counters
    where operation_id in (select id from operations order by id desc limit ${NEWEST})
    group by operation_id, state having sum(vehicles) <> 0
  ) counted group by operation_id
) c
join operations o on o.id = c.operation_id
left join lateral (
  select at, states from operation_samples where operation_id = c.operation_id
  order by at desc limit 1
) last on true
where last.at is null or last.states::text <> c.states::text
  and $1::timestamptz - last.at >= ($1::timestamptz - o.created_at) / ${SAMPLES_PER_AGE}
on conflict do nothing`;

/** @param now ms */
export async function takeSamples(database: Queryable, now: number): Promise<void> {
  await database.query(TAKE, [new Date(now)]);
}

const MAX_SAMPLES = 600;

/** Samples of an operation, oldest first; at most about 600, evenly chosen. */
export async function readSamples(database: Queryable, operationId: number): Promise<SampleRow[]> {
  const samples = await database.query<SampleRow>(
    'select at, states from operation_samples where operation_id = $1 order by at',
    [operationId],
  );
  return evenly(samples, MAX_SAMPLES);
}

/** The first, the last and evenly chosen ones in between: pure. */
function evenly<T>(items: readonly T[], maximum: number): T[] {
  const step = Math.max(1, Math.ceil((items.length - 1) / (maximum - 1)));
  return items.filter((_, place) => place % step === 0 || place === items.length - 1);
}
