/**
 * C2DSender: the adapter's way out to vehicles. Claims what is due, publishes each vehicle its own
 * OTA_TRIGGER, and records what became of it. Any number of senders work on one database.
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
import { RecentlyHeard } from './recently-heard.js';
import { type RetryPolicy } from './retry.js';
import { type SendOutcome, settleSends } from './settle-sends.js';

/** A message for a vehicle. */
export interface OutgoingMessage {
  readonly topic: string;
  readonly payload: Buffer;
  /** How long the broker may keep it for a vehicle that is away, seconds; undefined: for ever. */
  readonly expirySeconds?: number;
}

export type TracedSend = (
  trigger: ClaimedTrigger,
  send: (traceParent: string | undefined) => Promise<void>,
) => Promise<void>;

export interface C2dSenderOptions {
  readonly database: Database;
  readonly c2dTopic: TopicTemplate;
  /** Resolves when the broker has taken the message (QoS 1). */
  readonly publish: (message: OutgoingMessage) => Promise<void>;
  /** Whether messages can pass; while they cannot, nothing is claimed. */
  readonly isConnected: () => boolean;
  readonly retry: RetryPolicy;
  /** Counter shards of this process, one for each claim that may be worked on at the same time. */
  readonly shards: readonly number[];
  /** ms */
  readonly clock: () => number;
  readonly onSettled?: (outcomes: readonly SendOutcome[]) => void;
  /**
   * Wraps a send in a span, where sending is traced; `send` is given the trace context for the
   * vehicle (W3C Trace Context).
   */
  readonly traced?: TracedSend;
  readonly onFailure?: (error: Error) => void;
}

/** Triggers in one claim. */
const CLAIM_SIZE = 1_000;
/** Long enough to publish a claim on a slow broker, short enough to take over from a lost sender. */
const LEASE_MS = 25_000;
/** So long before the end of its lease a sender stops: clocks of several machines differ a little. */
const LEASE_MARGIN_MS = 5_000;
/** How often to look for what other processes have made due. */
const POLL_MS = 1_000;
/** Before a trigger that the broker did not take is tried again. */
const PUBLISH_RETRY_MS = 5_000;
/** Vehicles that something was heard of, in one look; those left out are heard again. */
const MAX_HEARD = 5_000;
/** How often a vehicle that is not registered is looked up; registering it makes it due at once. */
const NOT_FOUND_RETRY: Backoff = {
  firstPauseMs: 60_000,
  longestPauseMs: 60 * 60 * 1000,
};

export class C2dSender {
  readonly #options: C2dSenderOptions;
  /** Vehicles that are there now, and that something was heard of. */
  readonly #connected = new Set<string>();
  readonly #heard = new Set<string>();
  readonly #recentlyHeard = new RecentlyHeard();
  /** When something becomes due, as far as the last look has told, ms. */
  #nextAt: number | undefined;
  /** Whether any vehicle is awaited at all. */
  #somethingWaits = false;
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

  /** Something may have become due: look now. */
  wake(): void {
    this.#wakes += 1;
    for (const wakeUp of this.#sleepers) wakeUp();
  }

  /** A vehicle is there now: what it has not acknowledged is sent at once. */
  vehicleConnected(systemId: string): void {
    this.#connected.add(systemId);
    this.wake();
  }

  /** Something came from a vehicle: it is there, if nobody tells when it connects. */
  vehicleHeard(systemId: string): void {
    // Without a wake: a flood of events is looked at once a second, and not all of it.
    if (!this.#somethingWaits || this.#heard.size >= MAX_HEARD) return;
    if (this.#recentlyHeard.isNews(systemId, this.#options.clock())) this.#heard.add(systemId);
  }

  /** Finishes the claims in hand and ends. */
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

  /** Set by another call while this one waits. */
  #isStopping(): boolean {
    return this.#stopping;
  }

  async #sendDue(shard: number): Promise<number> {
    const { database, clock } = this.#options;
    await this.#sendToThoseThere();
    const claim = await claimDueTriggers(database, clock(), LEASE_MS, CLAIM_SIZE);
    this.#nextAt = claim.nextAt;
    this.#somethingWaits = claim.nextAt !== undefined || claim.triggers.length > 0;
    if (claim.triggers.length > 0) await this.#send(claim, shard);
    return claim.triggers.length;
  }

  async #sendToThoseThere(): Promise<void> {
    const { database, clock, retry } = this.#options;
    const now = clock();
    const ask = async (systemIds: Set<string>, sentBefore: number) => {
      if (systemIds.size === 0) return;
      const asked = [...systemIds];
      systemIds.clear();
      try {
        await makeDue(database, asked, now, sentBefore);
      } catch (error) {
        for (const systemId of asked) systemIds.add(systemId);
        throw error;
      }
    };
    await ask(this.#connected, now);
    // What it was just sent crosses what it says.
    await ask(this.#heard, now - retry.firstPauseMs);
  }

  async #send(claim: Claim, shard: number): Promise<void> {
    const { database, clock } = this.#options;
    const outcomes = await Promise.all(
      claim.triggers.map((trigger) => this.#sendOne(trigger, claim.until)),
    );
    const settled = outcomes.filter((outcome) => outcome !== undefined);
    await settleSends(database, shard, claim.id, settled, clock());
    await giveBack(database, unsent(settled));
    this.#options.onSettled?.(settled);
  }

  /** @returns undefined where the lease was over: another sender has the trigger, or will */
  async #sendOne(trigger: ClaimedTrigger, until: number): Promise<SendOutcome | undefined> {
    const { c2dTopic, publish, retry, clock } = this.#options;
    const now = clock();
    // A process that was frozen wakes up here.
    if (now > until - LEASE_MARGIN_MS) return undefined;
    const expiry = expiresAt(trigger.triggered_at.getTime(), trigger.ttl);
    // Where its ttl ends first, that is when to look at it again.
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

  /** Waits until something is due, or until it is woken; not at all if that was since. */
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

/** How many triggers of each operation came to their turn and were not published. */
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
