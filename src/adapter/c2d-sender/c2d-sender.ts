/**
 * C2DSender: the adapter's way out to vehicles. Claims due triggers, publishes each vehicle's OTA_TRIGGER and records the
 * outcome. Any number of senders can work on one database.
 */
import {
  type Backoff,
  backoffPause,
  cloudMessageId,
  encodeMessage,
  expiresAt,
  otaTrigger,
  type TopicTemplate,
} from '../../contract/index.js';
import { type Database } from '../../service/database/index.js';
import { giveBack } from './budgets.js';
import { type Claim, type ClaimedTrigger, claimDueTriggers } from './claim.js';
import { makeDue } from './make-due.js';
import { RecentlySeen } from './recently-seen.js';
import { type RetryPolicy } from './retry.js';
import { type SendOutcome, recordSends } from './record-sends.js';

/** A message for a vehicle. */
export interface OutgoingMessage {
  readonly topic: string;
  readonly payload: Buffer;
  /** How long the broker may keep it for an offline vehicle, seconds; undefined: forever. */
  readonly expirySeconds?: number;
}

export type TracedSend = (
  trigger: ClaimedTrigger,
  send: (traceParent: string | undefined) => Promise<void>,
) => Promise<void>;

export interface C2dSenderOptions {
  readonly database: Database;
  readonly c2dTopic: TopicTemplate;
  /** Resolves when the broker has accepted the message (QoS 1). */
  readonly publish: (message: OutgoingMessage) => Promise<void>;
  /** Whether messages can pass; nothing is claimed while they cannot. */
  readonly isConnected: () => boolean;
  readonly retry: RetryPolicy;
  /** Counter shards of this process, one per claim processed at the same time. */
  readonly shards: readonly number[];
  /** ms */
  readonly clock: () => number;
  readonly onRecorded?: (outcomes: readonly SendOutcome[]) => void;
  /** Wraps a send in a span if it is traced; `send` gets the trace context for the vehicle (W3C Trace Context). */
  readonly traced?: TracedSend;
  readonly onFailure?: (error: Error) => void;
}

/** Triggers in one claim. */
const CLAIM_SIZE = 1_000;
/** Long enough to publish a claim on a slow broker, short enough to take over soon from a dead sender. */
const LEASE_MS = 25_000;
/** A sender stops this long before its lease expires: the machines' clocks may differ a little. */
const LEASE_MARGIN_MS = 5_000;
/** How often to check for triggers that other processes have made due. */
const POLL_MS = 1_000;
/** Pause before a trigger that the broker did not accept is retried. */
const PUBLISH_RETRY_MS = 5_000;
/** Vehicles noted as seen per check; any others will send another message. */
const MAX_SEEN = 5_000;
/** How often an unregistered vehicle is looked up; registering it makes its trigger due immediately. */
const NOT_FOUND_RETRY: Backoff = {
  firstPauseMs: 60_000,
  longestPauseMs: 60 * 60 * 1000,
};

export class C2dSender {
  readonly #options: C2dSenderOptions;
  /** Vehicles that have connected, and vehicles that have sent a message. */
  readonly #connected = new Set<string>();
  readonly #seen = new Set<string>();
  readonly #recentlySeen = new RecentlySeen();
  /** When the next trigger becomes due, as of the last check, ms. */
  #nextAt: number | undefined;
  /** Whether there are any triggers to send, now or later. */
  #hasTriggers = false;
  #running: Promise<unknown> | undefined;
  #stopping = false;
  readonly #sleepers = new Set<() => void>();
  /** Counts the calls of {@link wake}. */
  #wakes = 0;

  constructor(options: C2dSenderOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= Promise.all(this.#options.shards.map((shard) => this.#run(shard)));
  }

  /** Triggers may have become due: check now. */
  wake(): void {
    this.#wakes += 1;
    for (const wakeUp of this.#sleepers) wakeUp();
  }

  /** A vehicle is online: triggers that it has not acknowledged are sent immediately. */
  vehicleConnected(systemId: string): void {
    this.#connected.add(systemId);
    this.wake();
  }

  /** A message came from a vehicle. Treats it as online, for brokers that report no presence. */
  vehicleSeen(systemId: string): void {
    // Does not wake the sender: in a flood of events, one check per second is enough.
    if (!this.#hasTriggers || this.#seen.size >= MAX_SEEN) return;
    if (this.#recentlySeen.isNews(systemId, this.#options.clock())) this.#seen.add(systemId);
  }

  /** Finishes the current claims, then stops. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.wake();
    await this.#running;
  }

  async #run(shard: number): Promise<void> {
    while (!this.#isStopping()) {
      const wakes = this.#wakes;
      let found = 0;
      try {
        if (this.#options.isConnected()) found = await this.#sendDue(shard);
      } catch (error) {
        this.#options.onFailure?.(error as Error);
      }
      if (found === 0) await this.#pause(wakes);
    }
  }

  /** A method, because TypeScript would assume the field unchanged across an await. */
  #isStopping(): boolean {
    return this.#stopping;
  }

  async #sendDue(shard: number): Promise<number> {
    const { database, clock } = this.#options;
    await this.#prompt();
    const claim = await claimDueTriggers(database, clock(), LEASE_MS, CLAIM_SIZE);
    this.#nextAt = claim.nextAt;
    this.#hasTriggers = claim.nextAt !== undefined || claim.triggers.length > 0;
    if (claim.triggers.length > 0) await this.#send(claim, shard);
    return claim.triggers.length;
  }

  /** Makes the triggers of online vehicles due. */
  async #prompt(): Promise<void> {
    const { database, clock, retry } = this.#options;
    const now = clock();
    const promptAll = async (online: Set<string>, sentUntil: number) => {
      if (online.size === 0) return;
      const systemIds = [...online];
      online.clear();
      try {
        await makeDue(database, systemIds, now, sentUntil);
      } catch (error) {
        for (const systemId of systemIds) online.add(systemId);
        throw error;
      }
    };
    await promptAll(this.#connected, now);
    // A trigger sent a moment ago may have crossed the vehicle's message.
    await promptAll(this.#seen, now - retry.firstPauseMs);
  }

  async #send(claim: Claim, shard: number): Promise<void> {
    const { database, clock } = this.#options;
    const sends = await Promise.all(
      claim.triggers.map((trigger) => this.#sendOne(trigger, claim.until)),
    );
    const outcomes = sends.filter((outcome) => outcome !== undefined);
    await recordSends(database, shard, claim.id, outcomes, clock());
    await giveBack(database, unsent(outcomes));
    this.#options.onRecorded?.(outcomes);
  }

  /** @returns undefined if the lease has expired: another sender takes care of the trigger */
  async #sendOne(trigger: ClaimedTrigger, until: number): Promise<SendOutcome | undefined> {
    const { c2dTopic, publish, retry, clock } = this.#options;
    const now = clock();
    // A suspended process resumes here.
    if (now > until - LEASE_MARGIN_MS) return undefined;
    const expiry = expiresAt(trigger.triggered_at.getTime(), trigger.ttl);
    // If the trigger expires before its next send, it is due then.
    const result = (outcome: SendOutcome['outcome'], dueAt: number | null): SendOutcome => ({
      operationId: trigger.operation_id,
      refId: trigger.ref_id,
      messageId: cloudMessageId(trigger.trigger_id),
      vin: trigger.vin,
      outcome,
      dueAt: dueAt === null ? null : Math.min(dueAt, expiry ?? Infinity),
    });
    if (expiry !== undefined && expiry <= now) return result('expired', null);
    const sends = trigger.sends - trigger.prompted;
    if (sends >= retry.maxSends) return result('undelivered', null);
    if (trigger.system_id === null) {
      const age = Math.max(0, now - trigger.triggered_at.getTime());
      const lookups = Math.floor(Math.log2(1 + age / NOT_FOUND_RETRY.firstPauseMs)) + 1;
      const pause = backoffPause(NOT_FOUND_RETRY, lookups, Math.random());
      return result('device_not_found', now + pause);
    }
    const { system_id: systemId } = trigger;
    const { traced = untraced } = this.#options;
    try {
      await traced(trigger, (traceParent) =>
        publish({
          topic: c2dTopic.of(systemId),
          payload: encodeMessage(triggerMessage(trigger, systemId, traceParent)),
          ...(expiry === undefined ? {} : { expirySeconds: Math.ceil((expiry - now) / 1000) }),
        }),
      );
    } catch (error) {
      this.#options.onFailure?.(error as Error);
      return result('failed', clock() + PUBLISH_RETRY_MS);
    }
    const pause = backoffPause(retry, Math.max(1, sends + 1), Math.random());
    return result('sent', trigger.ack_required ? clock() + pause : null);
  }

  /** Waits until a trigger is due or a wake comes. @param wakes count before the check: a wake since then ends the wait */
  async #pause(wakes: number): Promise<void> {
    const { clock, isConnected } = this.#options;
    const next = isConnected() ? this.#nextAt : undefined;
    const wait = Math.min(POLL_MS, Math.max(10, (next ?? Infinity) - clock()));
    if (this.#wakes !== wakes) return;
    await new Promise<void>((resolve) => {
      const wakeUp = () => {
        clearTimeout(timer);
        this.#sleepers.delete(wakeUp);
        resolve();
      };
      const timer = setTimeout(wakeUp, wait);
      this.#sleepers.add(wakeUp);
    });
  }
}

const untraced: TracedSend = (_trigger, send) => send(undefined);

/** Triggers of each operation that were claimed and not published. */
function unsent(outcomes: readonly SendOutcome[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { operationId, outcome } of outcomes) {
    if (outcome !== 'sent') counts.set(operationId, (counts.get(operationId) ?? 0) + 1);
  }
  return counts;
}

function triggerMessage(
  trigger: ClaimedTrigger,
  systemId: string,
  traceParent: string | undefined,
) {
  return otaTrigger({
    ...(traceParent === undefined ? {} : { traceParent }),
    triggerId: trigger.trigger_id,
    systemId,
    deviceId: trigger.device_id ?? '',
    ecuType: trigger.ecu_type ?? '',
    time: trigger.triggered_at.getTime(),
    ttl: trigger.ttl,
    ackRequired: trigger.ack_required,
    body: {
      model: trigger.model,
      'ref-id': trigger.ref_id,
      'script-ref-id': trigger.script_ref_id,
      vin: trigger.vin,
    },
  });
}
