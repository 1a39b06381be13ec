/** The guard's view of a schedule's vehicles, for people. */
import { type GuardTest, type SchedulePlan } from '../../contract/carota-api/index.js';
import { type Queryable } from '../../service/database/index.js';
import { exposureCapOf, SequentialTest } from '../guard/index.js';
import { exposedFrom, outcomeOf } from './run-tests.js';

/** The state of a schedule's guard. */
export interface GuardState {
  readonly id: number;
  readonly plan: SchedulePlan;
  readonly test_number: number;
  readonly test_from: number;
  readonly passed: number;
}

export const capOf = ({ plan: { guard }, passed }: GuardState): number | null =>
  guard ? exposureCapOf(guard, passed) : null;

/** The current test, vehicle by vehicle; null: the schedule has none. */
export async function readGuardTest(
  database: Queryable,
  { id, plan, test_number: number, test_from: from }: GuardState,
): Promise<GuardTest | null> {
  const settings = plan.guard?.test;
  if (!settings) return null;
  let test = SequentialTest.begin(settings, number);
  const path: GuardTest['path'] = [];
  let oldest: GuardTest['oldest'] = null;
  for (let next = from; !test.isOver;) {
    const vehicles = await exposedFrom(database, id, next);
    for (const { place, vin, result, state, decides_at } of vehicles) {
      if (test.isOver) break;
      test = test.take(outcomeOf(result));
      if (result === 'undecided') {
        oldest ??= { vin, state, decidesAt: decides_at?.toISOString() ?? null };
      }
      const { optimistic, pessimistic } = test;
      path.push({
        place,
        vin,
        result,
        optimistic: optimistic.evidence,
        pessimistic: pessimistic.evidence,
      });
    }
    const last = vehicles.at(-1);
    if (!last) break;
    next = last.place + 1;
  }
  return { ...test.bounds, number, from, oldest, path };
}

export interface Waiting {
  /** Vehicles whose request for admission was deferred because of the exposure cap. */
  readonly waiting: number;
  readonly retrying: number;
  readonly next_deadline: Date | null;
}

export async function readWaiting(database: Queryable, id: number): Promise<Waiting> {
  const [row] = await database.query<Waiting>(
    `select count(*) filter (where asked_at is not null and place is null) as waiting,
       count(*) filter (where retry_at is not null) as retrying,
       min(decides_at) as next_deadline
     from schedule_vehicles where schedule_id = $1`,
    [id],
  );
  return row ?? { waiting: 0, retrying: 0, next_deadline: null };
}
