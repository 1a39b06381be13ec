/** Operations and their progress: vehicles counted by state. */
import {
  DELIVERY_ENDED,
  FAILED,
  FINISHED,
  resultOf,
  type Scopes,
  type TriggerRate,
} from '../../contract/index.js';
import { modelInScope, scopesParameter } from '../../service/access/index.js';
import { type Queryable } from '../../service/database/index.js';
import { SAMPLES_PER_AGE } from './samples.js';

export interface OperationSummary {
  readonly id: number;
  readonly ref_id: string;
  readonly model: string;
  readonly script_ref_id: string;
  readonly status: 'active' | 'paused' | 'cancelled';
  readonly scheduled_at: Date;
  readonly created_at: Date;
  /** Since then only its counters are kept; null: not archived. */
  readonly archived_at: Date | null;
  readonly priority: number;
  readonly rate: TriggerRate | null;
  /** Seconds, -1 = never. */
  readonly ttl: number;
  readonly ack_required: boolean;
  readonly progress: Progress;
}

/** Counts of an operation's vehicles; every vehicle is in exactly one state. */
export interface Progress {
  readonly vehicles: number;
  readonly states: Readonly<Record<string, number>>;
  readonly paused: number;
  /** With or without success (contract section 5.5). */
  readonly finished: number;
  readonly succeeded: number;
  /** Finished without success, except `cancel` and `consent_rejected`. */
  readonly failed: number;
  /** Vehicles with a trigger to be sent, or from which messages are expected. */
  readonly open: number;
  /** Vehicles finished per minute, over the last five minutes or since the start; 0 if none is open. */
  readonly finishedPerMinute: number;
}

interface CounterRow {
  readonly state: string;
  readonly paused: boolean;
  readonly vehicles: number;
}

function progressOf(
  counters: readonly CounterRow[],
  {
    status,
    ack_required: ackRequired,
    past,
  }: Pick<OperationRow, 'status' | 'ack_required' | 'past'>,
): Progress {
  const states: Record<string, number> = {};
  for (const { state, vehicles } of counters) states[state] = (states[state] ?? 0) + vehicles;
  const sum = (matching: (counter: CounterRow) => boolean) =>
    counters.filter(matching).reduce((total, { vehicles }) => total + vehicles, 0);
  const finished = sum(({ state }) => FINISHED.has(state));
  const open = sum(
    ({ state }) =>
      !FINISHED.has(state) &&
      !DELIVERY_ENDED.has(state) &&
      // If no acknowledgement is required, or after a cancel, nothing follows once the trigger is sent.
      !(state === 'sent' && (!ackRequired || status === 'cancelled')),
  );
  return {
    vehicles: sum(() => true),
    states,
    paused: sum(({ paused }) => paused),
    finished,
    succeeded: sum(({ state }) => resultOf(state) === 'succeeded'),
    failed: sum(({ state }) => FAILED.has(state)),
    open,
    finishedPerMinute: past && open > 0 ? perMinute(past, finished) : 0,
  };
}

/** An operation's states at an earlier time. */
interface Past {
  readonly states: Readonly<Record<string, number>>;
  /** Seconds ago. */
  readonly age: number;
}

function perMinute({ states, age }: Past, finished: number): number {
  const before = Object.entries(states)
    .filter(([state]) => FINISHED.has(state))
    .reduce((sum, [, vehicles]) => sum + vehicles, 0);
  // Fewer have finished after a retrigger.
  return age <= 0 ? 0 : (Math.max(0, finished - before) / age) * 60;
}

type OperationRow = Omit<OperationSummary, 'progress'> & {
  counters: CounterRow[];
  past: Past | null;
};

const OPERATIONS = /* sql */ `
  select o.id, o.ref_id, o.model, o.script_ref_id, o.status, o.scheduled_at, o.created_at,
    o.archived_at, o.priority, o.rate, o.ttl, o.ack_required,
    coalesce((
      select json_agg(c) from (
        select state, paused, sum(vehicles)::bigint as vehicles from operation_counters
        where operation_id = o.id group by state, paused having sum(vehicles) <> 0
        order by state, paused
      ) c
    ), '[]') as counters,
    (
      select json_build_object('states', s.states, 'age', extract(epoch from now() - s.at)) from (
        -- The states five minutes ago: between two samples nothing has changed, or only briefly.
        (select states, greatest(at, now() - greatest(interval '5 minutes',
             (now() - o.created_at) / ${SAMPLES_PER_AGE})) as at
         from operation_samples
         where operation_id = o.id and at <= now() - interval '5 minutes' order by at desc limit 1)
        union all
        (select '{}'::json, o.created_at where o.created_at > now() - interval '5 minutes')
        union all
        (select states, at from operation_samples where operation_id = o.id order by at limit 1)
        limit 1
      ) s
    ) as past
  from operations o`;

const withProgress = ({ counters, past, ...operation }: OperationRow): OperationSummary => ({
  ...operation,
  progress: progressOf(counters, { ...operation, past }),
});

export async function findOperation(
  database: Queryable,
  refId: string,
): Promise<OperationSummary | undefined> {
  const rows = await database.query<OperationRow>(`${OPERATIONS} where o.ref_id = $1`, [refId]);
  return rows.map(withProgress)[0];
}

/** A page of operations of these models, newest first, older than the one with the given id. */
export async function listOperations(
  database: Queryable,
  page: { before: number; limit: number; scopes: Scopes },
): Promise<OperationSummary[]> {
  const rows = await database.query<OperationRow>(
    `${OPERATIONS} where o.id < $1 and ${modelInScope('o.model', '$3')} order by o.id desc limit $2`,
    [page.before, page.limit, scopesParameter(page.scopes)],
  );
  return rows.map(withProgress);
}
