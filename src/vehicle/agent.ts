/**
 * The vehicle's side of the contract (c2c-edge): takes triggers, acknowledges each, has the OTA
 * manager do the update, and reports its events, also those that were made offline.
 */
import {
  decodeMessage,
  encodeMessage,
  EVENT_STATUS,
  newDeviceMessageId,
  otaEvent,
  type OtaTrigger,
  otaTriggerAck,
} from '../protocol/index.js';
import { type CloudLink } from './cloud-link.js';
import { type OtaManager, type Report } from './ota-manager.js';
import { type Outbox, type OutgoingMessage } from './outbox.js';

export interface VehicleIdentity {
  readonly vin: string;
  readonly systemId: string;
  readonly deviceId: string;
  readonly ecuType: string;
}

export interface VehicleAgentOptions {
  readonly identity: VehicleIdentity;
  readonly link: CloudLink;
  readonly otaManager: OtaManager;
  readonly outbox: Outbox;
  /** ms */
  readonly clock: () => number;
  /** Hears of each message that the platform has acknowledged. */
  readonly onDelivered?: (message: OutgoingMessage) => void;
  /** Hears of what came from the cloud and is no trigger for this vehicle. */
  readonly onRefused?: (why: string) => void;
}

/** Before a message that could not be sent is tried again, ms. */
const RETRY_MS = 1_000;
/**
 * A broker's acknowledgement says that it has the message, not that it would survive a crash of the
 * broker, nor that anyone listens while the cloud connects again after it. So some time after each
 * connecting, what was acknowledged in this time is sent again, ms; the adapter recognises the
 * repetition.
 */
const REPEAT_MS = 40_000;
const REPEAT_AFTER_MS = 10_000;

export class VehicleAgent {
  readonly #options: VehicleAgentOptions;
  /** Acknowledgement of each trigger that was taken: a repeated trigger gets the same once more. */
  readonly #acks = new Map<string, OutgoingMessage>();
  /** What was acknowledged lately, oldest first, and when, ms. */
  #delivered: { message: OutgoingMessage; at: number }[] = [];
  #repeating: NodeJS.Timeout | undefined;
  readonly #stopping = new AbortController();
  /** Updates run one after another, in the order of their triggers. */
  #updates: Promise<void> = Promise.resolve();
  #sending: Promise<void> | undefined;

  constructor(options: VehicleAgentOptions) {
    this.#options = options;
  }

  /** Connects, or connects again after {@link goOffline}. */
  goOnline(): void {
    this.#options.link.open({
      onMessage: (payload) => this.#take(payload),
      onUp: () => {
        clearTimeout(this.#repeating);
        this.#repeating = setTimeout(() => this.#repeatRecent(), REPEAT_AFTER_MS);
        this.flush();
      },
    });
  }

  /** Breaks the connection. What is reported meanwhile waits in the outbox. */
  async goOffline(): Promise<void> {
    await this.#options.link.close();
  }

  /** Resolves when every update has ended and every message is delivered. */
  async idle(): Promise<void> {
    await this.#updates;
    while (this.#options.outbox.size > 0 && !this.#stopping.signal.aborted) {
      await (this.#sending ?? new Promise((resolve) => setTimeout(resolve, RETRY_MS / 10)));
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#repeating);
    await this.#options.link.close();
    await this.#updates;
    await this.#sending;
  }

  #take(payload: Uint8Array): void {
    const decoded = decodeMessage(payload);
    if (!decoded.ok) {
      this.#options.onRefused?.(`${decoded.fault.code} ${decoded.fault.path}`);
      return;
    }
    const trigger = decoded.value;
    if (trigger.message_type !== 'OTA_TRIGGER' || trigger.vin !== this.#options.identity.vin) {
      this.#options.onRefused?.(`${trigger.message_type} for ${trigger.vin}`);
      return;
    }
    const known = this.#acks.get(trigger.message_id);
    const ack = known ?? this.#ackOf(trigger);
    this.#acks.set(trigger.message_id, ack);
    if (trigger.property_bag.ack_required !== '0') this.#post(ack);
    if (known === undefined) this.#update(trigger);
  }

  #update(trigger: OtaTrigger): void {
    const { otaManager } = this.#options;
    const report: Report = (status, meta = []) => {
      const { identity, clock } = this.#options;
      const messageId = newDeviceMessageId();
      const event = otaEvent(this.#facts(messageId, trigger), {
        vin: identity.vin,
        device_id: identity.deviceId,
        device_type: identity.ecuType,
        status: EVENT_STATUS[status],
        meta: [...meta],
        timestamp: clock(),
        'ref-id': trigger.body['ref-id'],
      });
      this.#post({ messageId, payload: encodeMessage(event) });
    };
    this.#updates = this.#updates
      .then(() => otaManager.run(trigger, report, this.#stopping.signal))
      .catch((error: unknown) => {
        if (this.#stopping.signal.aborted) return;
        report('failure', [{ key: 'reason', value: (error as Error).message }]);
      });
  }

  #ackOf(trigger: OtaTrigger): OutgoingMessage {
    const messageId = newDeviceMessageId();
    const body = { acknowledge_time: this.#options.clock() };
    const message = otaTriggerAck(this.#facts(messageId, trigger), body);
    return { messageId, payload: encodeMessage(message) };
  }

  #facts(messageId: string, trigger: OtaTrigger) {
    const { identity, clock } = this.#options;
    return {
      ...identity,
      messageId,
      correlationId: trigger.message_id,
      time: clock(),
      traceParent: trigger.property_bag.traceparent,
    };
  }

  #post(message: OutgoingMessage): void {
    this.#options.outbox.add(message);
    this.flush();
  }

  /** Sends what waits, oldest first, one at a time: the platform sees the vehicle's own order. */
  flush(): void {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
  }

  get #canSend(): boolean {
    return this.#options.link.isUp && !this.#stopping.signal.aborted;
  }

  async #sendAll(): Promise<void> {
    const { outbox, link, onDelivered } = this.#options;
    for (let message = outbox.first(); message && this.#canSend; message = outbox.first()) {
      try {
        await link.publish(message.payload);
        outbox.remove(message.messageId);
        this.#remember(message);
        onDelivered?.(message);
      } catch {
        // The connection has broken; if it only stumbled, it is tried again in a moment.
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  #remember(message: OutgoingMessage): void {
    const now = this.#options.clock();
    this.#delivered = this.#delivered.filter(({ at }) => at > now - REPEAT_MS);
    this.#delivered.push({ message, at: now });
  }

  #repeatRecent(): void {
    const since = this.#options.clock() - REPEAT_MS;
    for (const { message, at } of this.#delivered.splice(0)) {
      if (at > since) this.#options.outbox.add(message);
    }
    this.flush();
  }
}
