/**
 * The parameters of the ingest statement, each stated once: its name, how SQL reads it, and how it is written. Their order
 * here is that of their numbers.
 */
import {
  type Allocate,
  float8Array,
  integerArray,
  joinedTexts,
  type Parameter,
  splitTexts,
  textArray,
  textParameter,
  uuidArray,
} from '../../service/database/index.js';
import { type Applicable, type Refused } from './batch-row.js';
import { type DeadLetterLimits } from './dead-letter-limits.js';
import { deadLetterOf } from './refuse.js';

/** What the parameters are made of. */
export interface Batch {
  /** Counter shard of the writer. */
  readonly shard: number;
  /** Number of messages, including repeated ones. */
  readonly received: number;
  /** Messages to be applied, each once. */
  readonly applicable: readonly Applicable[];
  readonly refused: readonly Refused[];
  /** The distinct ref-ids of all operations named, each with its number, from 1. */
  readonly operations: ReadonlyMap<string, number>;
  readonly limits: DeadLetterLimits;
  /** Where the parameters are written. */
  readonly allocate: Allocate;
}

interface Stated {
  /** Expression of a parameter, e.g. `$1`. */
  readonly sql: (parameter: string) => string;
  readonly write: (batch: Batch) => Parameter;
}

const as = (type: string, write: Stated['write']): Stated => ({
  sql: (parameter) => `${parameter}::${type}`,
  write,
});
// Their schemas refuse control characters, JSON escapes them, and an event's key has none but its own.
const texts = (pick: (row: Applicable) => string | null): Stated => ({
  sql: splitTexts,
  write: ({ applicable, allocate }) => textParameter(joinedTexts(applicable.map(pick)), allocate),
});
const uuids = (pick: (row: Applicable) => string | null) =>
  as('uuid[]', ({ applicable, allocate }) => uuidArray(applicable.map(pick), allocate));
const integers = (pick: (row: Applicable) => number | null) =>
  as('integer[]', ({ applicable, allocate }) => integerArray(applicable.map(pick), allocate));
const times = (pick: (row: Applicable) => number) =>
  as('float8[]', ({ applicable, allocate }) => float8Array(applicable.map(pick), allocate));

const ENVELOPES = texts((row) => row.envelope);

/** One row for each message to be applied. */
const MESSAGES = {
  digest: uuids((row) => row.digest),
  system_id: texts((row) => row.systemId),
  vin: texts((row) => row.vin),
  /** The number of messages of its vehicle in the batch. */
  messages: as('integer[]', ({ applicable, allocate }) =>
    integerArray(messagesOfEachVehicle(applicable), allocate),
  ),
  message_id: texts((row) => row.messageId),
  trigger_id: uuids((row) => row.triggerId),
  /** Number of its operation among the ref-ids. */
  operation: as('integer[]', ({ applicable, operations, allocate }) =>
    integerArray(
      applicable.map(({ refId }) => (refId === null ? null : (operations.get(refId) ?? null))),
      allocate,
    ),
  ),
  status: integers((row) => row.status),
  reaches: integers((row) => row.reaches),
  event_key: texts((row) => row.eventKey),
  event_ms: times((row) => row.eventTime),
  received_ms: times((row) => row.received.receivedAt),
  correlation_id: texts((row) => row.correlationId),
  sub_system_id: texts((row) => row.subSystemId),
  device_id: texts((row) => row.deviceId),
  device_type: texts((row) => row.deviceType),
  meta: texts((row) => row.meta),
  envelope: {
    ...ENVELOPES,
    // An empty list stands for nulls throughout, which is the rule.
    write: (batch) =>
      batch.applicable.some((row) => row.envelope !== null) ? ENVELOPES.write(batch) : '',
  },
} as const satisfies Readonly<Record<string, Stated>>;

const PARAMETERS = {
  shard: as('smallint', ({ shard }) => shard),
  received: as('bigint', ({ received }) => received),
  ref_ids: as('text[]', ({ operations }) => textArray([...operations.keys()])),
  ...MESSAGES,
  refused: as('json', ({ refused }) => JSON.stringify(refused.map(deadLetterOf))),
  most_of_sender: as('integer', ({ limits }) => limits.perVehicle),
  most_bytes: as('bigint', ({ limits }) => limits.bytes),
} as const satisfies Readonly<Record<string, Stated>>;

/** The expression of each parameter, by name. */
export const SQL = Object.fromEntries(
  Object.entries<Stated>(PARAMETERS).map(([name, { sql }], place) => [name, sql(`$${place + 1}`)]),
) as Readonly<Record<keyof typeof PARAMETERS, string>>;

/** Names of the columns of messages. */
export const MESSAGE_COLUMNS = Object.keys(MESSAGES) as (keyof typeof MESSAGES)[];

const WRITERS = Object.values<Stated>(PARAMETERS).map(({ write }) => write);

/** The parameters of the statement, in their order. */
export const parametersOf = (batch: Batch): Parameter[] => WRITERS.map((write) => write(batch));

/** For each message, the number of messages of its vehicle in the batch. */
function messagesOfEachVehicle(rows: readonly Applicable[]): number[] {
  const counts = new Map<string, number>();
  for (const { vin } of rows) counts.set(vin, (counts.get(vin) ?? 0) + 1);
  return rows.map(({ vin }) => counts.get(vin) ?? 0);
}
