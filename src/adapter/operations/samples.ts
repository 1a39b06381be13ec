/** How the states of operations have changed over time: samples that are taken while they do. */
import { type Queryable } from '../../service/database/index.js';

export interface Sample {
  readonly at: Date;
  readonly states: Readonly<Record<string, number>>;
}

/** Operations that are looked at: the newest ones. */
const NEWEST = 500;
/** The older an operation is, the less often: a sample for each 400th of its age, none where nothing changed. */
export const SAMPLES_IN_AN_AGE = 400;
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
  and $1::timestamptz - last.at >= ($1::timestamptz - o.created_at) / ${SAMPLES_IN_AN_AGE}
on conflict do nothing`;

/** @param now ms */
export async function takeSamples(database: Queryable, now: number): Promise<void> {
  await database.query(TAKE, [new Date(now)]);
}

const MOST = 600;

/** Samples of an operation, oldest first; at most about 600 of them, evenly chosen. */
export async function readSamples(database: Queryable, operationId: number): Promise<Sample[]> {
  const samples = await database.query<Sample>(
    'select at, states from operation_samples where operation_id = $1 order by at',
    [operationId],
  );
  return evenly(samples, MOST);
}

/** The first, the last, and as many between them: pure. */
function evenly<T>(items: readonly T[], most: number): T[] {
  const step = Math.max(1, Math.ceil((items.length - 1) / (most - 1)));
  return items.filter((_, place) => place % step === 0 || place === items.length - 1);
}
