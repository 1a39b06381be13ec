/** A message platform that a test can inspect, and the identity of its vehicle. */
import {
  decodeMessage,
  encodeMessage,
  type MetaField,
  type OtaEvent,
  otaTrigger,
  statusName,
} from '../../../src/contract/index.js';
import { type CloudLink, type CloudLinkHandlers } from '../../../src/vehicle/index.js';

export const IDENTITY = {
  vin: '5YJSA1E40FF345678',
  systemId: 'c2c-sys-5YJSA1E40FF345678',
  deviceId: 'device1234',
  ecuType: 'TCU',
};
export const MODEL = 'vehicle model a';
const REF_ID = 'schedule 0909';

/** Records what a vehicle publishes, and acknowledges all of it. */
export class PlatformDouble implements CloudLink {
  readonly messages: ReturnType<typeof decoded>[] = [];
  isUp = false;
  /** Total size of the received payloads. */
  readonly bytes = { acks: 0, events: 0 };
  /** Size of the last trigger. */
  triggerBytes = 0;
  /** The `ref-id` of triggers. */
  refId = REF_ID;
  #handlers: CloudLinkHandlers | undefined;

  open(handlers: CloudLinkHandlers): void {
    this.#handlers = handlers;
    this.isUp = true;
    handlers.onUp();
  }

  publish(payload: Buffer): Promise<void> {
    const message = decoded(payload);
    this.messages.push(message);
    this.bytes[message.message_type === 'OTA_EVENT' ? 'events' : 'acks'] += payload.length;
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.isUp = false;
    return Promise.resolve();
  }

  /** @param time ms @param ttl seconds */
  trigger(
    scriptRefId: string,
    triggerId: string = crypto.randomUUID(),
    time = Date.now(),
    ttl = -1,
  ): void {
    const payload = triggerOf(scriptRefId, triggerId, time, ttl, this.refId);
    this.triggerBytes = payload.length;
    this.#handlers?.onMessage(payload);
  }

  get events(): OtaEvent[] {
    return this.messages.filter((message) => message.message_type === 'OTA_EVENT');
  }

  /** Without progress events. */
  get statuses(): string[] {
    const names = this.events.map(({ body }) => statusName(body.status));
    return names.filter((name) => name !== 'downloading');
  }

  meta(key = 'reason'): string | undefined {
    return metaOf(this.events.at(-1)?.body.meta ?? [], key);
  }
}

export const metaOf = (meta: readonly MetaField[], key: string) =>
  meta.find((field) => field.key === key)?.value;

export function triggerOf(
  scriptRefId: string,
  triggerId: string,
  time = Date.now(),
  ttl = -1,
  refId = REF_ID,
): Buffer {
  const { vin } = IDENTITY;
  return encodeMessage(
    otaTrigger({
      ...IDENTITY,
      triggerId,
      time,
      ttl,
      ackRequired: true,
      body: { model: MODEL, 'ref-id': refId, 'script-ref-id': scriptRefId, vin },
    }),
  );
}

function decoded(payload: Uint8Array) {
  const result = decodeMessage(payload);
  if (!result.ok) throw new Error(`the vehicle sent ${result.fault.code} ${result.fault.path}`);
  return result.value;
}
