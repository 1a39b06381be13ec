/**
 * Every reason for which a message from a vehicle becomes a dead letter: its code, its meaning, and the remedy (contract
 * sections 2 and 5.6). The interface, the command line, the console and docs/failures/OtaopsDeadLetters.md have them from
 * here.
 */
export interface DeadLetterMeaning {
  readonly meaning: string;
  readonly remedy: string;
}

const reason = (meaning: string, remedy: string): DeadLetterMeaning => ({ meaning, remedy });

const FIX_THE_AGENT = 'Fix the vehicle agent; a replay of the same bytes is refused again.';

/** Faults that decoding finds in a message, in either direction; codes are stable. */
export const MESSAGE_FAULTS = {
  PAYLOAD_TOO_LARGE: reason(
    'The message is larger than 256 KiB.',
    'Fix the vehicle agent. A replay cannot help: only the first 256 KiB are kept.',
  ),
  NOT_UTF8: reason('The message is not UTF-8.', FIX_THE_AGENT),
  NOT_JSON: reason('The message is not JSON.', FIX_THE_AGENT),
  INVALID_ENVELOPE: reason(
    'The envelope violates the contract at the field that path names.',
    'Fix or roll back the vehicle agent; often a new version of it is the cause.',
  ),
  UNKNOWN_MESSAGE_TYPE: reason(
    'The contract has no such message_type.',
    'Fix the vehicle agent, or update the adapter if the type is new; then replay.',
  ),
  UNSUPPORTED_BODY_ENCODING: reason(
    'body_encoding_type is not 1, which is base64 of UTF-8 JSON.',
    FIX_THE_AGENT,
  ),
  BODY_NOT_BASE64: reason('The body is not base64.', FIX_THE_AGENT),
  BODY_NOT_UTF8: reason('The decoded body is not UTF-8.', FIX_THE_AGENT),
  BODY_NOT_JSON: reason('The decoded body is not JSON.', FIX_THE_AGENT),
  INVALID_BODY: reason(
    'The decoded body violates the contract at the field that path names.',
    'Fix or roll back the vehicle agent; often a new version of it is the cause.',
  ),
} as const satisfies Readonly<Record<string, DeadLetterMeaning>>;

/** All reasons, by code; codes are stable. */
export const DEAD_LETTER_MEANINGS = {
  ...MESSAGE_FAULTS,
  WRONG_TOPIC: reason(
    'The message came on the topic of another vehicle, or names a system_id other than its topic’s.',
    'Investigate at once: one vehicle may impersonate another. Otherwise fix the system_id that the vehicle uses.',
  ),
  WRONG_DIRECTION: reason(
    'An OTA_TRIGGER came from a vehicle.',
    'Fix the vehicle agent: a vehicle sends OTA_TRIGGER_ACK and OTA_EVENT.',
  ),
  EXPIRED: reason(
    'The ttl of the message had expired when it arrived.',
    'Check the vehicle’s clock and how long its messages wait. A replay cannot help: the time of arrival counts.',
  ),
  VEHICLE_NOT_REGISTERED: reason(
    'The VIN is not registered with this system_id; often the registry lags behind the fleet.',
    'Register or import the vehicle, then replay.',
  ),
  VEHICLE_NOT_IN_OPERATION: reason(
    'The operation does not have this vehicle.',
    'Check the ref-id that the vehicle reports; if the vehicle belongs to the operation, trigger it, then replay.',
  ),
  UNKNOWN_TRIGGER: reason(
    'The acknowledgement names no trigger of this vehicle.',
    'Check that the agent returns the message_id of its OTA_TRIGGER as correlation_id, and that the trigger came from this environment.',
  ),
  UNKNOWN_OPERATION: reason(
    'There is no operation with this ref-id; often the vehicle belongs to another environment.',
    'Connect the vehicle to the environment that triggered it. Replay if the operation has been started since.',
  ),
  OPERATION_ARCHIVED: reason(
    'The operation was archived after the days of --operation-days.',
    'Raise --operation-days if vehicles regularly report this late. A replay cannot help.',
  ),
  MESSAGE_BUDGET_EXCEEDED: reason(
    'The vehicle sends more messages than its budget allows.',
    'Stop the flood (see OtaopsVehicleFloods), or raise --messages-per-vehicle; then replay.',
  ),
  REFUSED_BY_DATABASE: reason(
    'The database refused the message; detail has its error message.',
    'Report the fault with detail and payload; replay after the fix.',
  ),
} as const satisfies Readonly<Record<string, DeadLetterMeaning>>;

/** A code of the table, e.g. `VEHICLE_NOT_REGISTERED`. */
export type DeadLetterReason = keyof typeof DEAD_LETTER_MEANINGS;
/** Every code, in the order of the table. */
export const DEAD_LETTER_REASONS = Object.keys(DEAD_LETTER_MEANINGS) as DeadLetterReason[];
