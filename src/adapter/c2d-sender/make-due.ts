/** Makes the unacknowledged triggers of online vehicles due. */
import { type Queryable, textArray } from '../../service/database/index.js';

/**
 * Unacknowledged triggers of these vehicles become due immediately.
 *
 * @param sentUntil ms; a trigger sent later is probably still on its way, and keeps its due time
 * @returns how many became due
 */
export async function makeDue(
  database: Queryable,
  systemIds: readonly string[],
  now: number,
  sentUntil: number,
): Promise<number> {
  const rows = await database.query(
    `with locked as materialized (
       select d.operation_id, d.vin from unnest($1::text[]) as s (system_id)
       join vehicles v on v.system_id = s.system_id
       join deliveries d on d.vin = v.vin
       where d.due_at is not null and d.delivery = 'sent' and d.due_at > $2
         and d.last_sent_at <= $3
       order by d.operation_id, d.vin
       for update of d
     )
     update deliveries d set due_at = $2, claim = null, prompted = d.prompted + 1
     from locked l where d.operation_id = l.operation_id and d.vin = l.vin
     returning d.vin`,
    [textArray(systemIds), new Date(now), new Date(sentUntil)],
  );
  return rows.length;
}
