/** How many vehicles of an operation are in each state: the only SQL that changes `operation_counters`. Pure. */

/**
 * An insert that moves vehicles between the counters of their operations. Without a returning clause, so that it can stand
 * alone or as a `with` query.
 *
 * @param moves query with the columns operation_id, state, paused and n, the number of vehicles that this state's counter
 * gains or, below zero, loses; `unknown(<number>)` may stand for itself
 * @param shard expression of the writer's counter shard; no two writers share one, so none waits for another's lock
 */
export const moveCounters = (moves: string, shard: string): string => /* sql */ `
insert into operation_counters as c (operation_id, shard, state, paused, vehicles)
select operation_id, ${shard}::smallint, state, paused, sum(n) from (
  select operation_id, counter_of(state) as state, paused, n from (${moves}) moves
) counted
group by operation_id, state, paused having sum(n) <> 0
-- Every writer locks the counters in the same order.
order by operation_id, state, paused
on conflict (operation_id, shard, state, paused)
do update set vehicles = c.vehicles + excluded.vehicles`;
