/** Turns messages that cannot be applied into dead letters: pure. */
import { type DeadLetterReason, MAX_MESSAGE_BYTES } from '../../contract/index.js';
import { type Applicable, type BatchRow, type Refusal, type Refused } from './batch-row.js';

/** A message without a matching vehicle, operation or trigger, and the facts that determine the reason. */
export interface Unmatched {
  /** Its number among the messages to be applied, from 1. */
  readonly arrival: number;
  readonly registered: boolean;
  readonly operationExists: boolean;
  /** Of an event: whether its operation is archived; null: unknown operation. */
  readonly isArchived: boolean | null;
}

/** The message as a dead letter. */
export function refuseUnmatched(row: BatchRow, message: Unmatched): Refused {
  return row.kind === 'refused' ? row : refuse(row, reasonUnmatched(row, message));
}

function reasonUnmatched(
  row: Applicable,
  { registered, operationExists, isArchived }: Unmatched,
): Refusal {
  if (!registered) {
    const detail = 'this vin is not registered for this system_id';
    return invalid('VEHICLE_NOT_REGISTERED', '/vin', detail);
  }
  if (operationExists) {
    return invalid('VEHICLE_NOT_IN_OPERATION', '/vin', 'the operation has no such vehicle');
  }
  if (row.refId === null) {
    const detail = 'no trigger of this vehicle has this message_id';
    return invalid('UNKNOWN_TRIGGER', '/correlation_id', detail);
  }
  return isArchived
    ? invalid('OPERATION_ARCHIVED', '/body/ref-id', 'the operation is archived')
    : invalid('UNKNOWN_OPERATION', '/body/ref-id', 'there is no such operation');
}

const invalid = (reason: DeadLetterReason, path: string, detail: string): Refusal => ({
  status: 'INVALID',
  reason,
  path,
  detail,
});

/** The message as a dead letter. */
export function refuse(row: BatchRow, refusal: Refusal): Refused {
  const { received, digest, systemId, vin, messageId } = row;
  return { received, kind: 'refused', digest, systemId, vin, messageId, refusal };
}

/** The row of `dead_letters`. */
export function deadLetterOf(row: Refused) {
  const { topic, publisher, payload, receivedAt } = row.received;
  const text = (value: string | null) => value?.toWellFormed().replaceAll('\0', '\uFFFD') ?? null;
  return {
    digest: row.digest,
    received_at: new Date(receivedAt).toISOString(),
    topic: text(topic),
    // The vehicle that the broker has authenticated; otherwise that of the topic, to which no other may publish.
    sender: text(publisher ?? topic),
    system_id: row.systemId,
    vin: row.vin,
    message_id: row.messageId,
    ...row.refusal,
    detail: text(row.refusal.detail),
    // The beginning of an oversized payload identifies it; all of it would only fill the disk.
    payload: Buffer.from(payload.subarray(0, MAX_MESSAGE_BYTES)).toString('base64'),
    payload_bytes: payload.byteLength,
  };
}
