/**
 * How many messages a vehicle may send: token buckets, each kept as one number (the generic cell rate algorithm,
 * ITU-T I.371).
 */
export interface MessageBudgetLimits {
  /** Messages at once; 0: no limit. A vehicle that was offline for a long time sends all messages that it has kept. */
  readonly burst: number;
  /** Messages added to the budget per hour. */
  readonly perHour: number;
}

/** An update has about twenty messages, a hundred with progress reports. */
export const DEFAULT_MESSAGE_BUDGET: MessageBudgetLimits = { burst: 5_000, perHour: 360 };

const HOUR_MS = 60 * 60 * 1000;
/** Shared buckets, 8 bytes each: enough for 100,000 messages per second from vehicles that rarely send. */
const SHARED_BUCKETS = 2 ** 20;
/** Fraction of the burst that may be missing from a shared bucket before its vehicles get their own. */
const SHARED_PART = 0.02;
/** Vehicles checked with each message, to forget those whose buckets are full again: a message adds at most one. */
const CHECKED_AT_ONCE = 2;

/**
 * Few vehicles ever send more than a few messages at once. So each vehicle first uses a bucket that it shares with all
 * vehicles of the same hash. The amount missing from that bucket is never less than what any one of them has used: if
 * little is missing, no vehicle has used much. If more is missing, the vehicle gets its own bucket, from which the most
 * that it may have used so far is deducted. So no vehicle exceeds its budget, and one that shares with a busy vehicle
 * loses at most {@link SHARED_PART} of the burst and one message.
 */
export class MessageBudget {
  /** ms between two messages that are added. */
  readonly #interval: number;
  /** ms by which a vehicle may be ahead of its rate. */
  readonly #tolerance: number;
  /** … and by which a shared bucket may be, before its vehicles get their own. */
  readonly #sharedTolerance: number;
  /** When each shared bucket is full again, ms. */
  readonly #shared: Float64Array;
  /** When a vehicle's own bucket is full again, ms. */
  readonly #fullAt = new Map<string, number>();
  /** The vehicles in turn, so that no message waits while all of them are checked. */
  #turn = this.#fullAt.entries();

  /** @param sharedBuckets a power of 2 */
  constructor(
    private readonly limits: MessageBudgetLimits,
    sharedBuckets = SHARED_BUCKETS,
  ) {
    this.#interval = HOUR_MS / limits.perHour;
    this.#tolerance = (limits.burst - 1) * this.#interval;
    this.#sharedTolerance = Math.floor(limits.burst * SHARED_PART) * this.#interval;
    this.#shared = new Float64Array(limits.burst === 0 ? 0 : sharedBuckets);
  }

  /** Vehicles with their own buckets. */
  get vehicles(): number {
    return this.#fullAt.size;
  }

  /**
   * Takes a message of a vehicle from its bucket, if it has one.
   *
   * @param now ms
   * @returns time until the bucket has one, ms; 0: the message was taken
   */
  take(vehicle: string, now: number): number {
    if (this.limits.burst === 0) return 0;
    for (let n = 0; n < CHECKED_AT_ONCE && this.#fullAt.size > 0; n++) this.#forgetNext(now);
    const bucket = hashOf(vehicle) & (this.#shared.length - 1);
    const shared = Math.max(this.#shared[bucket] ?? 0, now);
    const own = this.#fullAt.get(vehicle);
    if (own !== undefined || shared - now > this.#sharedTolerance) {
      const taken = Math.min(shared, now + this.#sharedTolerance + this.#interval);
      const fullAt = Math.max(own ?? taken, now);
      const wait = fullAt - now - this.#tolerance;
      if (wait > 0) return wait;
      this.#fullAt.set(vehicle, fullAt + this.#interval);
    }
    this.#shared[bucket] = shared + this.#interval;
    return 0;
  }

  #forgetNext(now: number): void {
    const { done, value } = this.#turn.next();
    if (done) this.#turn = this.#fullAt.entries();
    else if (value[1] <= now) this.#fullAt.delete(value[0]);
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}
