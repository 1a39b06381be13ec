/** One vehicle across all operations: its installed versions, and its messages as received. */
import { type RawMessage } from '../../contract/adapter-api/index.js';
import {
  encodeMessage,
  EVENT_STATUS,
  otaEvent,
  otaTriggerAck,
  type Scopes,
  toSeconds,
} from '../../contract/index.js';
import { modelInScope, scopesParameter } from '../../service/access/index.js';
import { type Queryable } from '../../service/database/index.js';
import { type HistoryRow } from './history.js';

export interface InstalledRow {
  readonly ecu: string;
  readonly version: string;
  readonly ref_id: string;
  /** By the vehicle's clock. */
  readonly at: Date;
}

/**
 * The newest version of each ECU that the vehicle has reported with `success`: `version:<ecu>` in its meta.
 * @param scopes only what operations of these models have installed
 */
export const installedVersions = (
  database: Queryable,
  vin: string,
  scopes: Scopes,
): Promise<InstalledRow[]> =>
  database.query<InstalledRow>(
    `select distinct on (ecu) substr(f.key, 9) as ecu, f.value as version, o.ref_id, m.event_at as at
     from deliveries d
     join operations o on o.id = d.operation_id
     join messages m on m.operation_id = d.operation_id and m.vin = d.vin and m.status = $2
     cross join lateral json_to_recordset(m.meta) as f (key text, value text)
     where d.vin collate "POSIX" = $1 and f.key like 'version:%' and ${modelInScope('o.model', '$3')}
     order by ecu, m.event_at desc`,
    [vin, EVENT_STATUS.success, scopesParameter(scopes)],
  );

type MessageRow = HistoryRow & { readonly system_id: string };

/** A vehicle's message with this id; undefined if it does not exist. */
export async function findMessage(
  database: Queryable,
  { operationId, refId, vin }: { operationId: number; refId: string; vin: string },
  messageId: string,
): Promise<RawMessage | undefined> {
  const [row] = await database.query<MessageRow>(
    `select * from messages where operation_id = $1 and vin = $2 and message_id = $3 limit 1`,
    [operationId, vin, messageId],
  );
  if (!row) return undefined;
  return row.envelope === null
    ? { verbatim: false, envelope: encodeMessage(messageOf(row, refId, vin)).toString() }
    : { verbatim: true, envelope: row.envelope };
}

function messageOf(row: MessageRow, refId: string, vin: string) {
  const time = row.event_at.getTime();
  const facts = {
    messageId: row.message_id,
    correlationId: row.correlation_id,
    systemId: row.system_id,
    subSystemId: row.sub_system_id,
    vin,
    deviceId: row.device_id,
    ecuType: row.device_type,
    time,
  };
  if (row.status === null) return otaTriggerAck(facts, { acknowledge_time: time });
  return otaEvent(facts, {
    vin,
    device_id: row.device_id,
    device_type: row.device_type,
    status: row.status,
    meta: row.meta,
    timestamp: toSeconds(time),
    'ref-id': refId,
  });
}
