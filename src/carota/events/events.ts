/** A vehicle's events, as received from the adapter. */
import { type Scopes, type StatusName } from '../../contract/index.js';
import { modelInScope, scopesParameter } from '../../service/access/index.js';
import { type Queryable } from '../../service/database/index.js';

export interface EventRow {
  readonly event_id: string;
  readonly ref_id: string;
  readonly status: number;
  readonly status_name: StatusName;
  readonly meta: readonly { readonly key: string; readonly value: string }[];
  readonly at: Date;
  readonly received_at: Date;
}

/** Newest first. @param refId only of this schedule @param scopes only of schedules of these models */
export const readVehicleEvents = (
  database: Queryable,
  vin: string,
  limit: number,
  { refId, scopes = null }: { readonly refId?: string | undefined; readonly scopes?: Scopes },
): Promise<EventRow[]> =>
  database.query<EventRow>(
    `select event_id, ref_id, status, status_name, meta, at, received_at from events
     where vin = $1 and ($2::text is null or ref_id = $2)
       and ($4::text[] is null or exists (
         select from schedules s where s.ref_id = events.ref_id and ${modelInScope('s.model', '$4')}
       ))
     order by at desc, event_id desc limit $3`,
    [vin, refId ?? null, limit, scopesParameter(scopes)],
  );
