/** Message ids (contract section 2): `msg-cld-<uuid v7>` from the cloud, `msg-dev-<unique>` from a device. */
import { hash } from 'node:crypto';
import { v7 as uuidV7 } from 'uuid';

const CLOUD = 'msg-cld-';
const DEVICE = 'msg-dev-';
const CLOUD_ID = /^msg-cld-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/i;

/** The message id of the trigger that the given UUID identifies. */
export function cloudMessageId(uuid: string): string {
  return CLOUD + uuid;
}

/** The UUID in a message id from the cloud, in lower case; undefined if there is none. */
export function uuidOfCloudMessageId(messageId: string): string | undefined {
  return CLOUD_ID.exec(messageId)?.[1]?.toLowerCase();
}

/**
 * A new UUID v7 (RFC 9562), which sorts by the time of its creation.
 *
 * @param now ms, if several processes share a clock; otherwise this machine's
 */
export function newUuid(now?: number): string {
  return now === undefined ? uuidV7() : uuidV7({ msecs: now });
}

/** A new id for a message from a device. */
export function newDeviceMessageId(): string {
  return DEVICE + uuidV7();
}

/**
 * The identity of an event (contract section 5.2), as 32 hexadecimal digits: the first 128 bits of the SHA-256 of its
 * operation, `system_id` and `message_id`. None of them can contain a control character.
 */
export function eventDigest(refId: string, systemId: string, messageId: string): string {
  return digestOf(`${systemId}\0${messageId}\0${refId}`);
}

/** The same for an acknowledgement, which names its operation by the trigger that it answers. */
export function ackDigest(correlationId: string, systemId: string, messageId: string): string {
  return digestOf(`${systemId}\0${messageId}\0\0${correlationId}`);
}

const digestOf = (text: string) => hash('sha256', text, 'hex').slice(0, 32);
