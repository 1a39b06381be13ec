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

/** The UUID in a message id from the cloud, in lower case; undefined where there is none. */
export function uuidOfCloudMessageId(messageId: string): string | undefined {
  return CLOUD_ID.exec(messageId)?.[1]?.toLowerCase();
}

/** A new UUID v7 (RFC 9562): sorts by the time it was made. */
export function newUuid(): string {
  return uuidV7();
}

/** A new id for a message from a device. */
export function newDeviceMessageId(): string {
  return DEVICE + uuidV7();
}

/**
 * What makes a message from a device distinct (contract section 5.2), as 32 hexadecimal digits: the
 * first 128 bits of the SHA-256 of `system_id` and `message_id`. Neither can hold a control character.
 */
export function messageDigest(systemId: string, messageId: string): string {
  return hash('sha256', `${systemId}\0${messageId}`, 'hex').slice(0, 32);
}
