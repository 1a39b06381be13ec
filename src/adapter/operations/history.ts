/** The messages received from a vehicle in an operation. */
import { lifecycleRank } from '../../contract/index.js';
import { type Queryable } from '../../service/database/index.js';

export interface HistoryRow {
  readonly message_id: string;
  readonly correlation_id: string;
  readonly attempt: number;
  /** null: an acknowledgement. */
  readonly status: number | null;
  readonly event_at: Date;
  readonly received_at: Date;
  readonly sub_system_id: string;
  readonly device_id: string;
  readonly device_type: string;
  readonly meta: { key: string; value: string }[];
  /** The envelope as received, if it has fields that the contract does not name. */
  readonly envelope: string | null;
}

/** A vehicle's messages in an operation, oldest first in the order of contract section 5.2. */
export async function history(
  database: Queryable,
  operationId: number,
  vin: string,
): Promise<HistoryRow[]> {
  const rows = await database.query<HistoryRow>(
    `select message_id, correlation_id, attempt, status, event_at, received_at,
       sub_system_id, device_id, device_type, meta, envelope
     from messages where operation_id = $1 and vin = $2
     order by attempt, event_at, message_id`,
    [operationId, vin],
  );
  // Already sorted, except for the lifecycle rank of events with equal times.
  return rows.sort(
    (a, b) =>
      a.attempt - b.attempt || a.event_at.getTime() - b.event_at.getTime() || rankOf(a) - rankOf(b),
  );
}

/** An acknowledgement comes before the events of the same time. */
const rankOf = ({ status }: HistoryRow) => (status === null ? -1 : lifecycleRank(status));
