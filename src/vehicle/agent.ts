/**
 * The vehicle's side of the contract (c2c-edge): receives triggers, acknowledges each, has the OTA manager perform the
 * update, and reports its events, including those that occurred offline. Its state is in its journal, so it resumes
 * after a power cut.
 */
import {
  backoffPause,
  decodeMessage,
  encodeMessage,
  EVENT_STATUS,
  NEVER_EXPIRES,
  newDeviceMessageId,
  otaEvent,
  type OtaTrigger,
  otaTriggerAck,
  reasonField,
  toMilliseconds,
} from '../contract/index.js';
import { type CloudLink, NoSubscriber } from './cloud-link.js';
import { type VehicleIdentity } from './identity.js';
import { type Journal, type JournalEntry, VehicleRecord } from './journal/index.js';
import { type OtaManager, type ReportedEvent, type RunningUpdate } from './ota-manager.js';
import { type Outbox, type OutgoingMessage } from './outbox.js';
import { type ChangedFacts, type TakenTrigger } from './update/facts.js';
import { type Phase } from './update/machine.js';
import { type VehicleClock } from './vehicle-clock.js';

/** Dependencies of a {@link VehicleAgent}. */
export interface VehicleAgentOptions {
  readonly identity: VehicleIdentity;
  readonly link: CloudLink;
  readonly otaManager: OtaManager;
  readonly journal: Journal;
  /** Queue of outgoing messages; must be empty at first. */
  readonly outbox: Outbox;
  /** ms */
  readonly clock: VehicleClock;
  /** A monotonic clock, ms; default: that of the process. */
  readonly monotonic?: () => number;
  /** Called for each message that the broker has acknowledged. */
  readonly onDelivered?: (message: OutgoingMessage) => void;
  /** Called for each message from the cloud that is not a trigger for this vehicle. */
  readonly onRefused?: (why: string) => void;
  /** Called when the vehicle cannot continue, e.g. because its journal cannot be written; the agent has stopped. */
  readonly onBroken?: (error: Error) => void;
}

/** Delays before an unsent message is retried; they grow while the topic has no subscriber. */
const RETRY = { firstPauseMs: 1_000, longestPauseMs: 60_000 };
/**
 * A broker's acknowledgement means that it has the message, not that the message survives a crash of the
 * broker. Messages acknowledged less than this before the connection broke, or before the vehicle was
 * switched off, are repeated after the reconnect, ms; the adapter deduplicates. Longer than the
 * documented brokers need to write to disk (5 s for Mosquitto).
 */
const UNCERTAIN_MS = 40_000;

/**
 * Maximum number of unfinished updates. Further triggers are not acknowledged: the cloud repeats them, and a flood of
 * forged ones fills neither the journal nor the disk.
 */
const MOST_UPDATES = 16;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * The contract’s c2c-edge: acknowledges triggers, has updates done by an {@link OtaManager}, and sends their events
 * until they are acknowledged.
 */
export class VehicleAgent {
  readonly #options: VehicleAgentOptions;
  readonly #record = new VehicleRecord();
  readonly #monotonic: () => number;
  /** Time of the disconnect; undefined while connected, or before the first connection. */
  #brokenAt: number | undefined;
  #forgetting: NodeJS.Timeout | undefined;
  readonly #stopping = new AbortController();
  #working: Promise<void> | undefined;
  #sending: Promise<void> | undefined;

  /** Reads the journal; unfinished updates continue with {@link goOnline}. */
  constructor(options: VehicleAgentOptions) {
    this.#options = options;
    this.#monotonic = options.monotonic ?? (() => Math.round(performance.now()));
    for (const entry of options.journal.read()) this.#record.apply(entry);
    options.clock.atLeast(this.#record.lastTime);
    for (const message of this.#record.waiting.values()) options.outbox.add(message);
  }

  /** Connects, or reconnects after {@link goOffline}. */
  goOnline(): void {
    this.#options.link.open({
      onMessage: (payload) => this.#guarded(() => this.#take(payload)),
      onUp: () => {
        this.#guarded(() => this.#repeat());
        this.flush();
      },
      onDown: () => (this.#brokenAt ??= this.#monotonic()),
    });
    this.#work();
  }

  /** Disconnects. Events reported while offline wait in the outbox. */
  async goOffline(): Promise<void> {
    await this.#options.link.close();
  }

  /** Resolves when every update has finished and every message is delivered. */
  async idle(): Promise<void> {
    while (this.#record.updates.size > 0 || this.#record.waiting.size > 0) {
      if (this.#stopping.signal.aborted) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY.firstPauseMs / 10));
    }
  }

  /** Goes offline and waits for the update to stop at a safe point. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#forgetting);
    await this.#options.link.close();
    await this.#working;
    await this.#sending;
  }

  #take(payload: Uint8Array): void {
    if (this.#stopping.signal.aborted) return;
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
    const sendsAck = trigger.property_bag.ack_required !== '0';
    const earlierAck = this.#record.acks.get(trigger.message_id);
    if (earlierAck) {
      // The cloud has not received the acknowledgement: send the same one again.
      if (sendsAck) this.#post([earlierAck]);
      return;
    }
    const refusal = this.#refusalOf(trigger);
    if (refusal !== undefined) {
      this.#options.onRefused?.(refusal);
      return;
    }
    const ack = this.#ackOf(trigger);
    this.#write({ kind: 'trigger', trigger: taken(trigger), ack, sendsAck });
    if (sendsAck) this.#post([ack]);
    this.#work();
    this.#announceAnother();
  }

  /** Why a trigger is not even queued. */
  #refusalOf({ message_id, time, ttl }: OtaTrigger): string | undefined {
    // Only by trusted time: a clock that runs ahead must not make every trigger expire.
    const expiry = ttl === NEVER_EXPIRES ? Infinity : toMilliseconds(time) + ttl * 1000;
    if (expiry < this.#options.clock.earliest) return `EXPIRED ${message_id}`;
    if (this.#record.updates.size >= MOST_UPDATES) {
      return `${message_id}: ${MOST_UPDATES} updates are queued already`;
    }
    return undefined;
  }

  /** The newest trigger queued behind the current update, which may be a slow download that is no longer wanted. */
  #announceAnother(): void {
    const [current, ...queued] = this.#record.updates.values();
    const newest = queued.at(-1);
    if (current && newest) this.#options.otaManager.another?.(newest.trigger);
  }

  /** Updates run one after another, in the order of their triggers. */
  #work(): void {
    this.#working ??= this.#workAll()
      .catch((error: unknown) => this.#break(error as Error))
      .finally(() => {
        this.#working = undefined;
        // A trigger that arrived while the last update was finishing.
        if (this.#record.updates.size > 0 && !this.#stopping.signal.aborted) this.#work();
      });
  }

  async #workAll(): Promise<void> {
    const { updates } = this.#record;
    for (const [id] of updates) {
      const update = this.#running(id);
      const running = this.#options.otaManager.run(update);
      this.#announceAnother();
      await running.catch((error: unknown) => {
        if (this.#stopping.signal.aborted) return;
        const reason = reasonField((error as Error).message);
        update.step('ended', {}, [{ status: 'failure', meta: [reason] }]);
      });
      if (this.#stopping.signal.aborted) return;
      if (updates.has(id)) update.step('ended');
    }
  }

  #running(id: string): RunningUpdate {
    const first = this.#record.updates.get(id);
    if (!first) throw new Error(`there is no update for ${id}`);
    const { trigger } = first;
    const current = () => this.#record.updates.get(id);
    const step = (
      phase: Phase | 'ended',
      facts: ChangedFacts = {},
      events: readonly ReportedEvent[] = [],
    ) => {
      if (this.#stopping.signal.aborted) return;
      const messages = events.map((event) => this.#eventOf(trigger, event));
      const at = this.#record.lastTime;
      const result = phase === 'ended' ? events.at(-1)?.status : undefined;
      this.#write({
        ...{ kind: 'step', update: id, phase, facts, messages, at },
        ...(result === undefined ? {} : { result }),
      });
      this.#post(messages);
    };
    return {
      trigger,
      get phase() {
        return current()?.phase ?? 'ended';
      },
      get facts() {
        return current()?.facts ?? {};
      },
      previousResult: this.#record.results.get(trigger.refId),
      step,
      report: (status, meta) => {
        const phase = current()?.phase;
        if (phase) step(phase, {}, [{ status, ...(meta ? { meta } : {}) }]);
      },
      stopping: this.#stopping.signal,
    };
  }

  /**
   * Each event is later than the previous one, even if the clock stops or is set back; except after events stamped by a
   * clock that ran ahead, whose times the cloud does not trust.
   */
  #nextTime(): number {
    const { clock } = this.#options;
    const now = clock.now();
    const last = this.#record.lastTime;
    const ranAhead = clock.isAttested && last > now + DAY_MS;
    const time = ranAhead ? now : Math.max(now, last + 1);
    this.#record.lastTime = time;
    return time;
  }

  #eventOf(trigger: TakenTrigger, { status, meta = [] }: ReportedEvent): OutgoingMessage {
    const { identity } = this.#options;
    const messageId = newDeviceMessageId();
    const time = this.#nextTime();
    const event = otaEvent(
      {
        ...identity,
        messageId,
        correlationId: trigger.messageId,
        time,
        traceParent: trigger.traceParent,
      },
      {
        vin: identity.vin,
        device_id: identity.deviceId,
        device_type: identity.ecuType,
        status: EVENT_STATUS[status],
        meta: [...meta],
        timestamp: time,
        'ref-id': trigger.refId,
      },
    );
    return { messageId, payload: encodeMessage(event).toString() };
  }

  #ackOf(trigger: OtaTrigger): OutgoingMessage {
    const { identity, clock } = this.#options;
    const messageId = newDeviceMessageId();
    const message = otaTriggerAck(
      {
        ...identity,
        messageId,
        correlationId: trigger.message_id,
        time: clock.now(),
        traceParent: trigger.property_bag.traceparent,
      },
      { acknowledge_time: clock.now() },
    );
    return { messageId, payload: encodeMessage(message).toString() };
  }

  #write(entry: JournalEntry): void {
    const { journal } = this.#options;
    journal.append(entry);
    this.#record.apply(entry);
    if (journal.isLong) journal.replace(this.#record.entries());
  }

  #post(messages: readonly OutgoingMessage[]): void {
    if (messages.length === 0) return;
    for (const message of messages) this.#options.outbox.add(message);
    this.flush();
  }

  /** Sends queued messages, oldest first, one at a time, so that the broker sees them in the vehicle's order. */
  flush(): void {
    this.#sending ??= this.#sendAll()
      .catch((error: unknown) => this.#break(error as Error))
      .finally(() => {
        this.#sending = undefined;
        if (this.#canSend && this.#options.outbox.first()) this.flush();
      });
  }

  get #canSend(): boolean {
    return this.#options.link.isUp && !this.#stopping.signal.aborted;
  }

  async #sendAll(): Promise<void> {
    const { outbox } = this.#options;
    let withoutSubscriber = 0;
    for (let message = outbox.first(); message && this.#canSend; message = outbox.first()) {
      const failure = await this.#send(message);
      if (!failure) {
        withoutSubscriber = 0;
        this.#recordDelivery(message);
        continue;
      }
      // Otherwise the connection has broken; after a temporary fault the message is retried shortly.
      withoutSubscriber = failure instanceof NoSubscriber ? withoutSubscriber + 1 : 0;
      await this.#pause(backoffPause(RETRY, Math.max(1, withoutSubscriber), Math.random()));
    }
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#stopping;
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener('abort', end);
    });
  }

  #send({ payload }: OutgoingMessage): Promise<unknown> {
    return this.#options.link.publish(Buffer.from(payload)).then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  #recordDelivery(message: OutgoingMessage): void {
    const { messageId } = message;
    const at = this.#monotonic();
    if (this.#record.waiting.has(messageId)) this.#write({ kind: 'delivered', messageId, at });
    this.#options.outbox.remove(messageId);
    this.#forgetting ??= setTimeout(() => this.#guarded(() => this.#forget()), UNCERTAIN_MS);
    this.#options.onDelivered?.(message);
  }

  /** Messages acknowledged long ago over a connection that is still up are safe. */
  #forget(): void {
    this.#forgetting = undefined;
    if (!this.#options.link.isUp || this.#brokenAt !== undefined) return;
    this.#write({ kind: 'certain', before: this.#monotonic() - UNCERTAIN_MS });
    if (this.#record.uncertain.size === 0) return;
    this.#forgetting = setTimeout(() => this.#guarded(() => this.#forget()), UNCERTAIN_MS);
  }

  /** Queues messages again that the broker may have lost when the connection broke, or before this start. */
  #repeat(): void {
    const { uncertain } = this.#record;
    const since = this.#brokenAt === undefined ? 0 : this.#brokenAt - UNCERTAIN_MS;
    this.#brokenAt = undefined;
    if (uncertain.size === 0) return;
    const repeated = [...uncertain.values()].filter(({ at }) => at >= since);
    this.#write({ kind: 'repeat', since });
    this.#options.outbox.putBack(repeated.map(({ message }) => message));
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#break(error as Error);
    }
  }

  /** Steps that cannot be recorded must not be taken: the vehicle keeps its software and stays silent. */
  #break(error: Error): void {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    clearTimeout(this.#forgetting);
    void this.#options.link.close();
    this.#options.onBroken?.(error);
  }
}

const taken = (trigger: OtaTrigger): TakenTrigger => ({
  messageId: trigger.message_id,
  refId: trigger.body['ref-id'],
  scriptRefId: trigger.body['script-ref-id'],
  ...traceOf(trigger),
});

function traceOf({ property_bag: { traceparent } }: OtaTrigger): Pick<TakenTrigger, 'traceParent'> {
  return typeof traceparent === 'string' ? { traceParent: traceparent } : {};
}
